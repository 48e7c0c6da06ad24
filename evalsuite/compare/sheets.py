"""Cells as tables: one for each task, or one wide table."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.cells import Cell
from evalsuite.compare.formats import Layout
from evalsuite.compare.grid import Entry, Grid, Sheet
from evalsuite.compare.table import Table, make_tables
from evalsuite.compare.wide import wide_grid
from evalsuite.compare.words import cell_lines, common_lines, flag_legend, flags, legend, shared_lines, value_text
from evalsuite.safe_text import short

MANY = 6
"""With more tables than this, the layout ``auto`` is one wide table."""


def counted_sheet(cells: Sequence[Cell], layout: Layout) -> Sheet:
    """Counts are words in a table of one task, and letters in the wide table."""
    return _sheet(cells, layout, letters=False)


def lettered_sheet(cells: Sequence[Cell], layout: Layout) -> Sheet:
    """Counts are letters in both layouts, for formats with one line in a cell."""
    return _sheet(cells, layout, letters=True)


def _sheet(cells: Sequence[Cell], layout: Layout, *, letters: bool) -> Sheet:
    tables = make_tables(cells, every_metric=True)
    if layout == "wide" or (layout == "auto" and len(tables) > MANY):
        grid, notes = wide_grid(cells)
        return Sheet((grid,), (*notes, *flag_legend(cells), *legend(cells)))
    if letters:
        return Sheet(tuple(map(_lettered, tables)), (*flag_legend(cells), *legend(cells)))
    return Sheet(tuple(map(_counted, tables)), legend(cells))


def _counted(table: Table) -> Grid:
    common = common_lines(table)
    labels, rows = [], []
    for model, row in zip(table.models, table.rows, strict=True):
        shared = shared_lines(row)
        labels.append((short(model), *(line for line in shared if line not in common)))
        rows.append(tuple(Entry(cell_lines(cell, shared)) for cell in row))
    title = ", ".join((table.columns[0].title, *common))
    return Grid(title, "model", _heads(table), tuple(labels), tuple(rows))


def _lettered(table: Table) -> Grid:
    labels = tuple((short(model),) for model in table.models)
    rows = tuple(tuple(Entry((value_text(cell),), flags(cell) if cell else "") for cell in row) for row in table.rows)
    return Grid(table.columns[0].title, "model", _heads(table), labels, rows)


def _heads(table: Table) -> tuple[tuple[str, ...], ...]:
    return tuple(column.heading(table.varying)[2:] for column in table.columns)
