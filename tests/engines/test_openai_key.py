"""The key goes into requests and nowhere else: no file, no line on a terminal, in none of its forms."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from fake_server import Fault, Server, raw, said, status
from hypothesis import given
from hypothesis import strategies as st
from made import toy_data, toy_rows, toy_run

from evalsuite.cli.main import main
from evalsuite.engines.openai import OpenAIEngine, http
from evalsuite.engines.openai.secret import MOST_SHOWN, Secret
from evalsuite.errors import UsageError

Open = Callable[..., OpenAIEngine]
Capture = pytest.CaptureFixture[str]
KEY = "sk-canary/1b9f+'q\"\\&<7>=x"
"""Holds what quoting, escaping and encoding change."""
FORMS: dict[str, str] = {
    "as it is": KEY,
    "in a header": f"Bearer {KEY}",
    "as Python shows it": repr(KEY),
    "as Python shows bytes": repr(f"Bearer {KEY}\n".encode()),
    "as JSON": json.dumps({"key": KEY}),
    "as JSON in JSON": json.dumps(json.dumps(KEY)),
    "in an address": "https://host/?key=" + quote(KEY),
    "in an address, all quoted": quote_plus(KEY),
    "in base64": base64.b64encode(KEY.encode()).decode(),
    "in base64 behind a user": base64.b64encode(f"me:{KEY}".encode()).decode(),
    "in base64 behind a word": base64.b64encode(f"Bearer {KEY}, and more".encode()).decode(),
    "in base64 for addresses": base64.urlsafe_b64encode(f"a:{KEY}".encode()).decode(),
    "in hexadecimal": KEY.encode().hex(),
    "in capitals": KEY.upper(),
    "cut short": KEY[:14],
    "where the message is cut": "x" * 285 + KEY,
    "many times": KEY * 40,
}
PIECE = 6
"""Characters of a key (after its public beginning) that say something about it."""


def pieces(key: str) -> set[str]:
    """What must not be found: a stretch of the key in the forms it may have."""
    plain = key.encode()
    found = {key, quote(key, safe=""), quote(key), plain.hex(), repr(key)[1:-1], json.dumps(key)[1:-1]}
    for before in range(3):
        found.add(base64.b64encode(bytes(before) + plain).decode()[4:-4])
    found = {form for text in found for form in (text, text.replace("+", "-").replace("/", "_"))}
    return {text[at : at + PIECE].lower() for text in found for at in range(3, len(text) - PIECE)}


def leaked(text: str, key: str = KEY) -> set[str]:
    lower = text.lower()
    return {piece for piece in pieces(key) if piece in lower}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_key_is_shown(form: str) -> None:
    assert leaked(FORMS[form])
    assert leaked(Secret(KEY).shown(f"no: {FORMS[form]} is wrong")) == set()


def test_the_key_is_masked_before_a_message_is_shortened() -> None:
    for form in (KEY, repr(KEY), quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()):
        for before in range(MOST_SHOWN - 60, MOST_SHOWN + 1):
            shown = Secret(KEY).shown("." * before + form)
            assert not any(form[at : at + 4] in shown for at in range(len(form) - 3)), shown


@given(
    key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=20, max_size=60),
    before=st.text(st.characters(codec="utf-8"), max_size=400),
)
def test_no_key_is_shown_whatever_it_is_made_of(key: str, before: str) -> None:
    for form in (key, repr(key), quote(key, safe=""), base64.b64encode(f"u:{key}".encode()).decode()):
        shown = Secret(key).shown(before.replace(key, "") + form)
        assert key not in shown
        assert form.strip("'") not in shown


def test_words_without_the_key_are_shown_as_they_are() -> None:
    for key in (None, "", "x", "EMPTY", KEY):
        assert Secret(key).shown("the model is overloaded, try later") == "the model is overloaded, try later"


@pytest.mark.parametrize("bad", ["\n", "\r\n", " ", "\t", "\x00", "é", "\u200b", "\x7f"])
@pytest.mark.parametrize("where", ["{bad}{key}", "{key}{bad}", "sk-{bad}{key}"])
def test_a_key_no_header_can_carry_is_refused_at_the_start(
    opened: Open, server: Server, monkeypatch: pytest.MonkeyPatch, bad: str, where: str
) -> None:
    if "\x00" in bad:
        monkeypatch.setattr("os.environ", {"OPENAI_API_KEY": where.format(bad=bad, key=KEY)})
    else:
        monkeypatch.setenv("OPENAI_API_KEY", where.format(bad=bad, key=KEY))
    with pytest.raises(UsageError, match="the key in OPENAI_API_KEY holds a line break, a space") as caught:
        opened()
    assert leaked(str(caught.value)) == set()
    assert server.bodies == []


@pytest.mark.parametrize("field", ["api_key", "key", "Authorization", "api-key", "token", "password", "api_key.x"])
def test_a_key_in_the_body_is_refused(opened: Open, field: str) -> None:
    with pytest.raises(UsageError, match="environment variable") as caught:
        opened(**{f"body.{field}": KEY})
    assert leaked(str(caught.value)) == set()


@pytest.mark.parametrize("option", ["revision", "body.user", "tokenizer", "base_url"])
def test_a_key_in_any_other_option_is_refused(
    opened: Open, server: Server, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-1b9f-5a")
    with pytest.raises(UsageError, match=f"{option} holds the key of OPENAI_API_KEY") as caught:
        opened(**{option: f"{server.url}/sk-canary-1b9f-5a"})
    assert "1b9f" not in str(caught.value)


def test_a_key_given_for_its_variable_s_name_is_refused(opened: Open) -> None:
    with pytest.raises(UsageError, match="name of an environment variable") as caught:
        opened(key_env="sk-canary-1b9f")
    assert "1b9f" not in str(caught.value)


def header(form: str) -> Fault:
    head = f"HTTP/1.1 500 {form}\r\nx-key: {form}\r\nretry-after: {form}\r\ncontent-length: 0\r\n\r\n"
    return raw(head.encode())


def choice(form: str, **fields: object) -> Fault:
    return said(json.dumps({"choices": [{"text": form, "finish_reason": "stop", **fields}]}))


@pytest.mark.parametrize("endpoint", ["completions", "chat"])
def test_no_file_of_a_run_and_no_line_of_its_output_holds_the_key(
    server: Server,
    byte_tokenizer: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    endpoint: str,
) -> None:
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    faults: list[Callable[[str], Fault]] = [
        lambda form: status(400, form),
        lambda form: status(500, form, retry_after=form.replace("\n", "")),
        said,
        lambda form: said(json.dumps({"error": {"message": form, "code": form}})),
        choice,
        lambda form: choice("a", finish_reason=form),
        lambda form: choice("a", token_ids=[form]),
        header,
    ]
    data = toy_data(tmp_path / "data", toy_rows(len(FORMS), len(faults) + 1, words=2))
    server.models = {"data": [{"id": "tiny", "max_model_len": 4000, "owned_by": f"by {KEY}", "revision": f"r {KEY}"}]}
    chosen = f"openai:tiny,base_url={server.url},tokenizer={byte_tokenizer},endpoint={endpoint},attempts=1"
    probes = [] if endpoint == "chat" else [status(400, KEY), status(400, repr(KEY))]
    server.faults = [*probes, *(fault(form) for form in FORMS.values() for fault in faults)]
    begin = toy_run(tmp_path / "out", data, "--max-new-tokens", "40", model=f"{chosen},concurrency=1")
    assert main(begin) == 3
    assert server.faults == []
    shown = capsys.readouterr()
    assert leaked(shown.out + shown.err) == set()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in written} >= {"run.json", "completions.jsonl", "scores.jsonl", "cells.json"}
    for path in written:
        assert leaked(path.read_bytes().decode("utf-8", "replace")) == set(), path
    assert (tmp_path / "out" / "completions.jsonl").read_text().count("***") >= len(FORMS)


@pytest.mark.parametrize(
    "name", ["models", "limit", "unreachable", "refused", "option", "nameless", "unknown option", "doubled"]
)
def test_no_refusal_at_the_start_shows_the_key(
    server: Server,
    byte_tokenizer: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    name: str,
) -> None:
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = f"openai:tiny,base_url={server.url},tokenizer={byte_tokenizer}"
    if name == "models":
        server.models = {"data": [{"id": KEY}, {"id": f"tiny{KEY}"}]}
    elif name == "limit":
        server.models = {"data": [{"id": "tiny", "max_model_len": KEY}]}
        model += ",prompt=ids"
        server.faults = [status(400, KEY), status(400, KEY)]
    elif name == "unreachable":
        model = model.replace(server.url, "http://127.0.0.1:9")
    elif name == "refused":
        server.looks = [status(403, KEY)]
    elif name == "option":
        model += f",api_key={KEY}"
    elif name == "nameless":
        model += f",api_key={KEY},x"
    elif name == "unknown option":
        model += f",apikeys={KEY}"
    else:
        model += f",revision={KEY},revision={KEY}"
    data = toy_data(tmp_path / "data", toy_rows(1, 1))
    assert main(toy_run(tmp_path / "out", data, model=model)) == 2
    shown = capsys.readouterr()
    assert leaked(shown.out + shown.err) == set()
    assert not (tmp_path / "out").exists()
