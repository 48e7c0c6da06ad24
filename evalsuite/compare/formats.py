"""The formats of ``compare``, in one table. ``--help`` reads this module, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from evalsuite.cells import Cell

Layout: TypeAlias = Literal["auto", "tables", "wide"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
Write: TypeAlias = "Callable[[Sequence[Cell], Layout], str]"
"""Makes a text from cells and a layout."""


def _terminal(cells: Sequence[Cell], layout: Layout) -> str:
    from evalsuite.compare.sheets import counted_sheet
    from evalsuite.compare.terminal import to_terminal

    return to_terminal(counted_sheet(cells, layout))


def _markdown(cells: Sequence[Cell], layout: Layout) -> str:
    from evalsuite.compare.markdown import to_markdown
    from evalsuite.compare.sheets import counted_sheet

    return to_markdown(counted_sheet(cells, layout))


def _latex(cells: Sequence[Cell], layout: Layout) -> str:
    from evalsuite.compare.latex import to_latex
    from evalsuite.compare.sheets import lettered_sheet

    return to_latex(lettered_sheet(cells, layout))


def _csv(cells: Sequence[Cell], _: Layout) -> str:
    from evalsuite.compare.data import to_csv

    return to_csv(cells)


def _json(cells: Sequence[Cell], _: Layout) -> str:
    from evalsuite.compare.data import to_json

    return to_json(cells)


FORMATS: dict[str, Write] = {
    "terminal": _terminal,
    "markdown": _markdown,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}
"""The function of each ``compare --format``. A new format is one entry here."""


def render(cells: Sequence[Cell], form: str, *, every_metric: bool = False, layout: Layout = "auto") -> str:
    """The cells in one of ``FORMATS``.

    Args:
        cells: of one or more runs.
        form: the format.
        every_metric: also the metrics that are not a task's primary one.
        layout: ``tables``: one for each task; ``wide``: one for all; ``auto``: chosen by the number of tasks.

    Raises:
        UsageError: two runs have a value for the same place of a table.
    """
    return FORMATS[form]([cell for cell in cells if cell.primary or every_metric], layout)
