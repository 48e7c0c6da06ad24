"""Answers that cannot be answers are failed requests: the run ends, says so, and asks them again when started again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made import cells, lines, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.types import Completion, OptionScore, Request

Capture = pytest.CaptureFixture[str]
Spoil = Callable[[Completion], Completion]


def _logprob(value: float) -> Spoil:
    return lambda said: replace(
        said, options=tuple(OptionScore(value, option.tokens, option.greedy) for option in said.options)
    )


SPOILED: dict[str, tuple[str, Spoil]] = {
    "half a surrogate pair": ("paper", lambda said: replace(said, text=said.text + "\ud83d")),
    "a negative id": ("paper", lambda said: replace(said, token_ids=(*said.token_ids, -1))),
    "a huge id": ("paper", lambda said: replace(said, token_ids=(10**40,))),
    "a reason that is none": ("paper", lambda said: replace(said, error="\udcff")),
    "not a number": ("options", _logprob(math.nan)),
    "minus infinity": ("options", _logprob(-math.inf)),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_run_with_such_answers_ends_incomplete_and_a_resume_asks_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str
) -> None:
    protocol, spoil = SPOILED[name]
    rows = [{**row, "choices": ["answer 0", "nothing"]} for row in toy_rows(2, 2)]
    data, out, good = toy_data(tmp_path / "data", rows), tmp_path / "out", ScriptedEngine._complete
    begin = toy_run(out, data, "--protocol", protocol)

    def spoiled(engine: ScriptedEngine, request: Request) -> Completion:
        said = good(engine, request)
        return spoil(said) if request.sample_id == "q1" else said

    monkeypatch.setattr(ScriptedEngine, "_complete", spoiled)
    assert main(begin) == 3
    assert "1 of 4 failed" in capsys.readouterr().err
    assert {cell["failed"] for cell in cells(out)} == {1}
    assert [score["status"] for score in lines(out / "scores.jsonl")].count("failed") == 1

    monkeypatch.setattr(ScriptedEngine, "_complete", good)
    assert main(begin) == 0
    whole = tmp_path / "whole"
    assert main(toy_run(whole, data, "--protocol", protocol)) == 0
    assert cells(out) == cells(whole)
