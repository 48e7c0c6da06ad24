"""Options that cannot be meant are refused in one line, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_server import Server, said, status
from made import toy_data, toy_rows, toy_run
from openai_asked import answers, asked

from evalsuite.cli.main import main
from evalsuite.engines.openai import OpenAIEngine
from evalsuite.engines.registry import parse_model
from evalsuite.errors import UsageError

Open = Callable[..., OpenAIEngine]
Capture = pytest.CaptureFixture[str]
PRICES = {"price_in": "1000000", "price_out": "1000000"}


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e999", "one", "", "9" * 5000])
@pytest.mark.parametrize("option", ["timeout", "price_in", "price_out", "max_cost"])
def test_a_number_that_is_none_or_negative_is_refused(opened: Open, server: Server, option: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"option {option}=.* is malformed; it takes a number") as caught:
        opened(**{**PRICES, option: value})
    assert len(str(caught.value)) < 200
    assert server.bodies == []


@pytest.mark.parametrize("value", ["0", "1e9"])
def test_a_time_out_of_nothing_or_for_ever_is_refused(opened: Open, value: str) -> None:
    with pytest.raises(UsageError, match="it takes a number of seconds above 0, a day at most"):
        opened(timeout=value)


@pytest.mark.parametrize("option", ["concurrency", "attempts"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "1.5", "--5", "9" * 5000])
def test_a_count_that_is_none_is_refused(opened: Open, option: str, value: str) -> None:
    with pytest.raises(UsageError, match="malformed; it takes a whole number from 1"):
        opened(**{option: value})


def test_more_at_once_than_a_machine_has_threads_for_is_refused(opened: Open) -> None:
    with pytest.raises(UsageError, match="more than 1024"):
        opened(concurrency="1000000")


@pytest.mark.parametrize(
    "field",
    [
        *("model", "prompt", "messages", "prompt.x", "max_tokens", "max_completion_tokens", "Max_Tokens", "stop"),
        *("n", "stream", "logprobs", "top_logprobs", "temperature", "echo", "best_of", "return_token_ids"),
        *("truncate_prompt_tokens", "ignore_eos", "stop_token_ids"),
    ],
)
def test_a_field_that_says_what_was_asked_is_refused(opened: Open, server: Server, field: str) -> None:
    with pytest.raises(UsageError, match="the run sets this field itself"):
        opened(**{f"body.{field}": "1"})
    assert server.bodies == []


@pytest.mark.parametrize(
    "options",
    [
        {"body.": "1"},
        {"body.a.": "1"},
        {"body.a": "1", "body.a.b": "2"},
        {"body.a.b": "1", "body.a": "2"},
        {"body.a": "nan"},
        {"body.a": "1e999"},
    ],
)
def test_a_field_that_is_none_is_refused(opened: Open, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"names no field|malformed"):
        opened(**options)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000/v1",
        "http://",
        "http:///v1",
        "http://[::1",
        "http://[zz]/v1",
        "http://host:99999/v1",
        "http://host:-1/v1",
        "http://host:port/v1",
        "http://host:0/v1",
        "http://a..b/v1",
        "http://" + "a" * 300 + "/v1",
        "http://ho st/v1",
        "http://host\n/v1",
        "http://host/\x00",
        "http://\ud800/v1",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://host/v1?x=1",
        "http://host/v1#x",
        "http://me@host/v1",
    ],
)
def test_an_address_that_is_none_is_refused(opened: Open, url: str) -> None:
    with pytest.raises(UsageError, match="base_url") as caught:
        opened(base_url=url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "SOCKS proxy"),
        ("HTTP_PROXY", "gopher://me:secret@127.0.0.1:9", "is no proxy"),
        ("HTTP_PROXY", "http://me:secret@127.0.0.1:99999", "cannot be reached"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_line(
    opened: Open, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=told) as caught:
        opened()
    assert "secret" not in str(caught.value)


def test_certificates_that_are_not_there_are_one_line(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match="certificates"):
        opened(base_url="https://127.0.0.1:9/v1")


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="option price_in is given twice"):
        parse_model("openai:tiny,price_in=1,price_in=2")


@pytest.mark.parametrize("cost", ["nan", "-1", "inf", "much"])
def test_a_maximum_cost_that_is_none_is_refused(tmp_path: Path, capsys: Capture, cost: str) -> None:
    data = toy_data(tmp_path / "data", toy_rows(1, 1))
    with pytest.raises(SystemExit) as ended:
        main(toy_run(tmp_path / "out", data, f"--max-cost={cost}"))
    assert ended.value.code == 2
    assert "--max-cost" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_answer_that_was_refused_is_paid_for(opened: Open, server: Server) -> None:
    engine = opened(**PRICES, attempts="1")
    server.faults = [
        said('{"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 1}}'),
        status(500),
        said('{"choices": [], "usage": {"prompt_tokens": -400, "completion_tokens": 1}}'),
    ]
    (completion,) = answers(engine, asked()).values()
    assert completion.error
    assert engine.cost == 5
    answers(engine, asked())
    assert engine.cost == 5, "what was not answered costs nothing"
    answers(engine, asked())
    assert engine.cost == 13, "what cannot be believed costs what it can have been"


def test_an_engine_tells_its_cost_and_tokens(opened: Open) -> None:
    engine = opened(**PRICES)
    answers(engine, asked(0), asked(1, options=((44,), (45, 60))))
    assert engine.cost == engine.purse.spent == (4 + 2) + (5 + 2) + (6 + 2)
    assert (engine.purse.prompt_tokens, engine.purse.answer_tokens, engine.purse.cached_tokens) == (15, 6, 9)
    assert opened().cost is None


def test_options_behind_a_prompt_the_server_cut_are_refused(opened: Open, server: Server) -> None:
    engine = opened()
    server.cuts = 1
    (found,) = answers(engine, asked(options=((44,), (45, 60)))).values()
    assert found.error == "the server read 4 tokens of the 5 sent: it cut or changed the prompt"
    assert found.options == ()
