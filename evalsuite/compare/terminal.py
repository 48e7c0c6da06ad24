"""Tables for a terminal, in pieces that fit its width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalsuite.compare.grid import Entry, Grid, Lines, Sheet, chunks

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

WIDEST = 10_000
"""More columns than any table needs."""
UNKNOWN = (140, 24)
"""The size if the output is not a terminal."""
GAP = 3
"""Blanks around a column and the line between two."""


def to_terminal(sheet: Sheet) -> str:
    """Tables of box-drawing characters. Columns that do not fit are shown below."""
    from io import StringIO
    from shutil import get_terminal_size

    from rich.console import Console

    buffer, width = StringIO(), get_terminal_size(UNKNOWN).columns
    console = Console(file=buffer, width=width, highlight=False, markup=False, emoji=False)
    for grid in sheet.grids:
        for piece in pieces(grid, width):
            console.print(grid.title, style="italic")  # a table's own title would wrap at its width
            _print(console, _rich(piece), width)
    for note in sheet.notes:
        console.print(note)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def pieces(grid: Grid, width: int) -> Iterator[Grid]:
    """Groups of columns that fit a width, with the labels. A column that is too wide is a group of its own."""
    label = _width((grid.corner, *(line for lines in grid.labels for line in lines)))
    sizes = [_width((*head, *_column(grid, at))) for at, head in enumerate(grid.heads)]
    for chosen in chunks(sizes, width + 1 - label):
        yield grid.columns(chosen)


def _column(grid: Grid, at: int) -> Lines:
    entries = [row[at] for row in grid.rows]
    return tuple(line for entry in entries for line in _lines(entry, _padding(entries)))


def _width(texts: Lines) -> int:
    from rich.cells import cell_len

    return GAP + max(map(cell_len, texts), default=0)


def _print(console: Console, table: RichTable, width: int) -> None:
    # A terminal may wrap a line; a table may not lose a digit.
    needed = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    console.width = max(width, needed)
    console.print(table, "")
    console.width = width


def _rich(grid: Grid) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False)
    shown.add_column(grid.corner, no_wrap=True)
    for head in grid.heads:
        shown.add_column("\n".join(head), justify="right", no_wrap=True)
    padding = [_padding([row[at] for row in grid.rows]) for at in range(len(grid.heads))]
    for at, (label, row) in enumerate(zip(grid.labels, grid.rows, strict=True)):
        texts = ("\n".join(_lines(entry, pad)) for entry, pad in zip(row, padding, strict=True))
        shown.add_row("\n".join(label), *texts, end_section=at in grid.ends and at + 1 < len(grid.rows))
    return shown


def _padding(entries: list[Entry]) -> int:
    """Room for the letters after the values of a column, so that the values are aligned."""
    return max((len(entry.flags) for entry in entries), default=0)


def _lines(entry: Entry, padding: int) -> Lines:
    value, *counts = entry.lines
    marked = f"*{value}" if entry.best else value
    return (f"{marked} {entry.flags:<{padding}}" if padding else marked, *counts)
