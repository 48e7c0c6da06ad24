"""Cells in every format: one table of what each format shows and which function writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evalsuite.cells import Cell
from evalsuite.compare.data import to_csv, to_json
from evalsuite.compare.latex import to_latex
from evalsuite.compare.markdown import to_markdown
from evalsuite.compare.sheets import Layout, counted_sheet, lettered_sheet
from evalsuite.compare.terminal import to_terminal

Arrange = Callable[[Sequence[Cell], Layout], Any]


def as_they_are(cells: Sequence[Cell], layout: Layout) -> Sequence[Cell]:
    """The cells themselves, for formats that programs read."""
    del layout
    return cells


FORMATS: Mapping[str, tuple[Arrange, Callable[[Any], str]]] = {
    "terminal": (counted_sheet, to_terminal),
    "markdown": (counted_sheet, to_markdown),
    "csv": (as_they_are, to_csv),
    "latex": (lettered_sheet, to_latex),
    "json": (as_they_are, to_json),
}
"""For each format: how cells are arranged, and the renderer of what that gives."""


def render(cells: Sequence[Cell], form: str, *, every_metric: bool = False, layout: Layout = "auto") -> str:
    """The cells in one of ``FORMATS``.

    Args:
        cells: of one or more runs.
        form: the format.
        every_metric: also the metrics that are not a task's primary one.
        layout: a table a task, one wide table, or what suits their number.

    Raises:
        UsageError: two runs have a value for one place of a table.
    """
    arrange, write = FORMATS[form]
    return write(arrange([cell for cell in cells if cell.primary or every_metric], layout))
