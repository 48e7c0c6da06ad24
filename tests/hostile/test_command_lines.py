"""A hundred bad command lines: each ends with a code of its own, a line that says why, and never in a traceback."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from made import TOY, command, environment, row, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main

Capture = pytest.CaptureFixture[str]

DIGITS = "9" * 5000
NUMBERS = (DIGITS, f"-{DIGITS}", "--5", "1e3", "0x10", "1_000", "٣", "", " ", "nan", "inf", "1.5", "\x1b[31m", "½")
OPTIONS = ("--shots", "--max-prompt-tokens", "--max-new-tokens", "--max-model-len", "--seed", "--lengths")
PRICES = ("nan", "-1", "inf", "-inf", "free", DIGITS, "")
OTHER = (
    ("run",),
    ("nothing",),
    ("run", "--model"),
    ("score", ""),
    ("score", "/nowhere"),
    ("score", "/dev/null"),
    ("compare", ""),
    ("compare", "/dev/null"),
    ("compare", "/nowhere", "--format", "pdf"),
    ("tasks", "qaspar"),
    ("tasks", ""),
    ("tasks", "--include-path", "/dev/null"),
    ("tasks", "--include-path", ""),
    ("data", "verify", "qasper", "--data", "/dev/null"),
    ("data", "fetch", "nothing"),
    ("data", "list", ""),
    ("schema", "sell"),
    ("prompts", "qasper"),
    ("prompts", "qasper", "--model", "scripted:echo", "--data", "/dev/null"),
    ("prompts", "qasper", "--model", "scripted:echo", "--shots", DIGITS),
    ("prompts", "qasper", "--model", "hf:/nowhere", "--data", "DATA"),
    ("prompts", "toy", "--model", "hf:/dev/null", "--include-path", str(TOY), "--data", "DATA"),
    ("fidelity", "check", "/dev/null/x"),
    ("fidelity", "check", "/"),
    ("fidelity", "compute", "/nowhere.jsonl", "--out", "/dev/null/out"),
    ("fidelity", "check", "JUNK"),
    ("score-predictions", "/nowhere", "--suite", "plain", "--out", "OUT"),
    ("score-predictions", "/", "--suite", "plain", "--out", "OUT"),
    ("score-predictions", "JUNK", "--suite", "plain", "--out", "OUT"),
    ("score-predictions", "JUNK", "--suite", "scrolls", "--out", "OUT"),
    ("score-predictions", "JUNK", "--suite", "leval", "--out", "OUT"),
    ("score-predictions", "JUNK", "--suite", "nothing", "--out", "OUT"),
    ("submission", "/nowhere", "--out", "OUT"),
    ("submission", "", "--out", "OUT"),
    ("demo", "--out", "/dev/null"),
    ("demo", "--out", ""),
)
MODELS = (
    "",
    ":",
    "hf",
    "hf:",
    "hf:,",
    "hf:/nowhere",
    "hf:JUNK",
    "hf:EMPTY",
    "hf:EMPTY,dtype=float99",
    "hf:EMPTY,=",
    "scripted:echo,x=1",
    "lm-eval:",
    "lm-eval:nothing-of-this-name",
    "openai:x,base_url=http://",
    "openai:x,base_url=nonsense",
    f"openai:x,base_url=http://127.0.0.1:1,tokenizer=/nowhere,concurrency={DIGITS}",
    "openai:x,base_url=http://127.0.0.1:1,tokenizer=/nowhere,timeout=nan",
    "\x1b[31mred:x",
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "data", toy_rows(2, 2))


def _bad(arguments: list[str], capsys: Capture) -> str:
    """What a refusal says; it does not repeat thousands of characters, and colours nothing."""
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    said = capsys.readouterr()
    assert code == 2, (code, said)
    assert said.err.strip()
    assert "Traceback" not in said.err
    told = [line for line in said.err.splitlines() if line.startswith("evalsuite")]
    assert len(told) == 1, said.err
    assert len(told[0]) < 1500
    assert "\x1b" not in said.err
    return told[0]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("number", NUMBERS, ids=[f"{n[:8]!a}x{len(n)}" for n in NUMBERS])
def test_a_number_that_is_none_is_refused(
    data: Path, tmp_path: Path, capsys: Capture, option: str, number: str
) -> None:
    _bad([*toy_run(tmp_path / "out", data), f"{option}={number}"], capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [*NUMBERS, "0", "-1", f"toy={DIGITS}", "toy=--5"])
def test_a_limit_that_is_none_is_refused(data: Path, tmp_path: Path, capsys: Capture, number: str) -> None:
    _bad([*toy_run(tmp_path / "out", data), f"--limit-documents={number}"], capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("price", PRICES, ids=[price[:8] for price in PRICES])
def test_a_cost_that_is_none_is_refused(data: Path, tmp_path: Path, capsys: Capture, price: str) -> None:
    assert "--max-cost" in _bad([*toy_run(tmp_path / "out", data), f"--max-cost={price}"], capsys)


@pytest.mark.parametrize("model", MODELS, ids=[ascii(model)[:40] for model in MODELS])
def test_a_model_that_is_none_is_refused(data: Path, tmp_path: Path, capsys: Capture, model: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").write_bytes(b"\x00\xff junk")
    named = model.replace("EMPTY", str(tmp_path / "empty")).replace("JUNK", str(tmp_path / "junk"))
    _bad(toy_run(tmp_path / "out", data, model=named), capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("line", OTHER, ids=[" ".join(line)[:50] for line in OTHER])
def test_a_command_line_that_makes_no_sense_is_refused(
    data: Path, tmp_path: Path, capsys: Capture, line: tuple[str, ...]
) -> None:
    (tmp_path / "junk.jsonl").write_bytes(b'{"task": 5, "id": [], "prediction": {}}\n\xff\n')
    places = {"DATA": str(data), "OUT": str(tmp_path / "out"), "JUNK": str(tmp_path / "junk.jsonl")}
    _bad([places.get(argument, argument) for argument in line], capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2>/dev/full >&-"])
@pytest.mark.parametrize("arguments", [("score", "/nowhere"), ("run", "--shots", "x"), ("tasks", "qaspar")])
def test_an_error_nobody_can_read_keeps_its_code(arguments: tuple[str, ...], redirection: str) -> None:
    script = f'"$@" {redirection}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command(*arguments)],
        env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr + done.stdout


def test_a_run_goes_on_when_standard_error_is_full(data: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" 2>/dev/full', "bash", *command(*toy_run(tmp_path / "out", data))],
        env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0
    assert (tmp_path / "out" / "cells.json").is_file()


def _broken_rows() -> Iterator[dict[str, object]]:
    good = row(0, 0, "text")
    for field in good:
        for value in (None, 5, -1, 1.5, True, "", [], {}, [None], [[1]], "\ud800", "--5"):
            yield {**good, field: value}


@pytest.mark.skipif(os.name == "nt", reason="paths")
def test_a_field_of_another_kind_is_one_line_or_a_run(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "toy" / "validation.jsonl"
    file.parent.mkdir()
    for number, broken in enumerate(_broken_rows()):
        file.write_text(json.dumps(broken) + "\n")
        code = main(toy_run(tmp_path / f"out{number}", tmp_path))
        said = capsys.readouterr().err
        assert code in (0, 2, 3), (broken, said)
        assert "Traceback" not in said
