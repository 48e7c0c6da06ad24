"""Chat templates that print the date say the same on every day; templates that fail or never end are one line."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from made import TOY, lines, parts, toy_data, toy_rows, toy_run
from tiny import CHAT, save_model, save_tokenizer

from evalsuite.cli.main import main
from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.errors import UsageError
from evalsuite.prompts.chat import chat_frame
from evalsuite.tokenizers import HFTokenizer, load_tokenizer
from evalsuite.tokenizers.chat_template import OWN_DATE, TEMPLATE_DATE

LLAMA = (
    "{%- if not date_string is defined %}{%- if strftime_now is defined %}"
    '{%- set date_string = strftime_now("%d %b %Y") %}{%- else %}{%- set date_string = "01 Feb 2003" %}'
    "{%- endif %}{%- endif %}[{{ date_string }}]"
) + CHAT
"""As Llama 3.2's: today's date where the renderer can tell it, else its own."""
PLAIN = "[{{ strftime_now('%Y-%m-%d') }}]" + CHAT
"""As templates that ask for the date whether they can or not."""

Capture = pytest.CaptureFixture[str]


def _tokenizer(folder: Path, template: str) -> HFTokenizer:
    save_tokenizer(folder, chat=False)
    (folder / "chat_template.jinja").write_text(template)
    return load_tokenizer(str(folder))


def _model(folder: Path, template: str) -> Path:
    save_model(folder)
    (folder / "chat_template.jinja").write_text(template)
    return folder


def _shown(tokenizer: HFTokenizer, date: str | None = None) -> str:
    frame = chat_frame(tokenizer, parts("Tale."), date)
    assert frame.template is not None
    return frame.template[0].partition("]")[0].removeprefix("[")


def test_the_date_is_the_templates_own_fallback(tmp_path: Path) -> None:
    tokenizer = _tokenizer(tmp_path, LLAMA)
    assert _shown(tokenizer) == "01 Feb 2003"
    assert tokenizer.template_date(None) == OWN_DATE


def test_without_a_fallback_the_date_is_a_constant(tmp_path: Path) -> None:
    tokenizer = _tokenizer(tmp_path, PLAIN)
    assert _shown(tokenizer) == TEMPLATE_DATE == "2024-07-26"
    assert tokenizer.template_date(None) == TEMPLATE_DATE


@pytest.mark.parametrize(("template", "shown"), [(LLAMA, "09 Nov 2031"), (PLAIN, "2031-11-09")])
def test_a_date_asked_for_is_the_date_printed(tmp_path: Path, template: str, shown: str) -> None:
    tokenizer = _tokenizer(tmp_path, template)
    assert _shown(tokenizer, "2031-11-09") == shown
    assert tokenizer.template_date("2031-11-09") == "2031-11-09"


def test_a_template_without_a_date_records_none_and_refuses_one(tiny_tokenizer: HFTokenizer) -> None:
    assert tiny_tokenizer.template_date(None) is None
    for tokenizer in (tiny_tokenizer, CharacterTokenizer()):
        with pytest.raises(UsageError, match="prints no date"):
            chat_frame(tokenizer, parts("Tale."), "2031-11-09")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 1 / 0 }}", "division by zero"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "recursion"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "Range"),
        ("{{ messages[0].content.nothing.at.all }}", "no attribute 'nothing'"),
        ("{% for %}", "TemplateSyntaxError"),
        ("{{ " + "(" * 5000, "the chat template of"),
        ("{{ strftime_now(5) }}", "TypeError"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% include '/etc/passwd' %}", "the chat template of"),
        ("{{ 5 + 'x' }}\n\x1b[31m", "unsupported operand"),
    ],
)
def test_a_template_that_fails_is_one_line(tmp_path: Path, template: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        _tokenizer(tmp_path, template).chat_template([{"role": "user", "content": "who"}])
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ ('a' * 10 ** 9) * 99 }}",
        "{{ 7 ** (10 ** 9) }}",
    ],
)
def test_a_template_that_does_not_end_is_given_up(tmp_path: Path, template: str) -> None:
    begun = time.monotonic()
    with pytest.raises(UsageError, match="takes more than 5 s or 2 GB"):
        _tokenizer(tmp_path, template).chat_template([{"role": "user", "content": "who"}])
    assert time.monotonic() - begun < 60


def test_a_named_template_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    tokenizer = _tokenizer(tmp_path, CHAT)
    tokenizer._pretrained.chat_template = {"default": CHAT, "other": "{{ 7 ** (10 ** 9) }}"}
    with pytest.raises(UsageError, match="takes more than"):
        tokenizer.chat_template([{"role": "user", "content": "who"}])


@pytest.mark.parametrize("template", [LLAMA, PLAIN])
def test_a_run_of_yesterday_is_resumed_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str) -> None:
    from transformers.utils import chat_template_utils

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            del tz
            return datetime(2099, 12, 31)  # noqa: DTZ001

    data = toy_data(tmp_path / "data", toy_rows(2, 2))
    model = f"hf:{_model(tmp_path / 'model', template)}"
    asked = toy_run(tmp_path / "out", data, "--chat-template", "--max-new-tokens", "4", model=model)
    assert main(asked) == 0
    before = lines(tmp_path / "out" / "requests.jsonl")
    monkeypatch.setattr(chat_template_utils, "datetime", Tomorrow)
    chat_template_utils._compile_jinja_template.cache_clear()
    assert main(asked) == 0
    fresh = toy_run(tmp_path / "fresh", data, "--chat-template", "--max-new-tokens", "4", model=model)
    assert main(fresh) == 0
    assert lines(tmp_path / "fresh" / "requests.jsonl") == before
    assert "2099" not in json.dumps(before)


def test_another_date_is_another_question(tmp_path: Path, capsys: Capture) -> None:
    data = toy_data(tmp_path / "data", toy_rows(2, 1))
    model = f"hf:{_model(tmp_path / 'model', PLAIN)}"
    out = tmp_path / "out"
    asked = toy_run(out, data, "--chat-template", "--max-new-tokens", "2", model=model)
    assert main([*asked, "--template-date", "2031-11-09"]) == 0
    assert json.loads((out / "run.json").read_text())["spec"]["blocks"][0]["template_date"] == "2031-11-09"
    capsys.readouterr()
    assert main(asked) == 2
    assert "questions" in capsys.readouterr().err
    assert main([*asked, "--template-date", "2031-11-09"]) == 0


def test_today_is_written_down_as_the_day_it_was(tmp_path: Path) -> None:
    data = toy_data(tmp_path / "data", toy_rows(1, 1))
    model = f"hf:{_model(tmp_path / 'model', PLAIN)}"
    asked = toy_run(tmp_path / "out", data, "--chat-template", "--max-new-tokens", "2", model=model)
    days = {datetime.now().astimezone().date().isoformat()}
    assert main([*asked, "--template-date", "today"]) == 0
    days.add(datetime.now().astimezone().date().isoformat())
    assert json.loads((tmp_path / "out" / "run.json").read_text())["spec"]["blocks"][0]["template_date"] in days


@pytest.mark.parametrize("date", ["tomorrow", "2024-7-26", "20240726", "2024-02-30", "", "2024-07-26T00:00"])
def test_a_date_that_is_none_is_refused(tmp_path: Path, capsys: Capture, date: str) -> None:
    with pytest.raises(SystemExit):
        main(toy_run(tmp_path / "out", tmp_path, "--chat-template", "--template-date", date))
    assert "expected today or a date such as 2024-07-26" in capsys.readouterr().err


def test_a_date_without_a_chat_template_is_refused(tmp_path: Path, capsys: Capture) -> None:
    data = toy_data(tmp_path / "data", toy_rows(1, 1))
    assert main(toy_run(tmp_path / "out", data, "--template-date", "2024-07-26")) == 2
    assert "add --chat-template" in capsys.readouterr().err
    assert main(["prompts", "toy", "--include-path", str(TOY), "--data", str(data), "--model", "scripted:echo",
                 "--chat-template", "--template-date", "2024-07-26"]) == 2  # fmt: skip
    assert "prints no date" in capsys.readouterr().err
