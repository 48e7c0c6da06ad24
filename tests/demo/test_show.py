"""The demo as it is met: a sign of life at once, bars that name their model, tables that show a difference."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made import command, environment

from evalsuite.api import Watcher
from evalsuite.demo import show
from evalsuite.runs.execute import Report

ROOT = Path(__file__).parents[2]
PROMISED = 2.0
"""Seconds to the first line, where Python alone starts in 50 ms; in proportion where it takes longer."""


def _seconds(arguments: list[str], lines: int) -> float:
    begun = time.monotonic()
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline()
        took = time.monotonic() - begun
        process.kill()
    return took


def test_the_first_line_comes_at_once(tmp_path: Path) -> None:
    bare = min(_seconds([sys.executable, "-c", "print(1)"], 1) for _ in range(3))
    took = min(_seconds(command("demo", "--out", tmp_path / f"demo{i}"), 1) for i in range(2))
    assert took < PROMISED * max(1.0, bare / 0.05)


def test_both_models_are_named_and_three_tables_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"TASKS": ("narrativeqa",), "LENGTHS": (512,), "SHOWN": 512, "SHOTS": (0, 1), "CAPS": (300,)}
    for name, value in {**small, "DOCUMENTS": 3, "QUESTIONS": 1, "CAPPED": 2}.items():
        monkeypatch.setattr(show, name, value)
    named: list[str] = []

    class Naming(Watcher):
        def progress(self, asked: int, model: str) -> AbstractContextManager[Report]:
            assert asked
            named.append(model)
            return super().progress(asked, model)

    told = list(show.run_demo(tmp_path, Naming()))
    assert named == ["short", "long"] * 3
    assert [text.partition(".")[0] for text in told[:3]] == ["Table 1", "Table 2", "Table 3"]
    for place in ("", "shots", "capped"):
        for model in show.MODELS:
            assert (tmp_path / place / model / "cells.json").is_file()


def test_the_table_of_shots_shows_that_shots_matter() -> None:
    page = (ROOT / "results" / "demo.md").read_text(encoding="utf-8")
    table = page.partition("Table 2.")[2].partition("Table 3.")[0]
    for model in show.MODELS:
        rows = [row.split("   ") for row in re.findall(rf"^ {model} +(\S.*)$", table, flags=re.MULTILINE)]
        values = [[value.strip() for value in row if value.strip()] for row in rows]
        assert [len(row) for row in values] == [len(show.SHOTS)] * len(show.TASKS)
        none, one, two = zip(*values, strict=True)
        assert len({none, one, two}) == len(show.SHOTS)
