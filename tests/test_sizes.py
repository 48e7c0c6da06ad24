"""Functions one can read at a glance, modules of one topic."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(file for folder in ("evalsuite", "tasks") for file in (ROOT / folder).rglob("*.py"))


def _functions() -> list[tuple[str, int]]:
    """Name and lines of every function, signature and docstring included."""
    return [
        (f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_function_is_longer_than_fifty_lines() -> None:
    assert [name for name, lines in _functions() if lines > 50] == []


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    assert [file for file in FILES if len(file.read_text(encoding="utf-8").splitlines()) > 300] == []


def test_a_typical_function_fits_a_glance() -> None:
    lines = [lines for _, lines in _functions()]

    assert median(lines) <= 10
    assert quantiles(lines, n=10)[-1] <= 30
