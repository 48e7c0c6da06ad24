"""One table of many tasks: models by tasks, sorted, with the best values marked and an average for each suite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from math import inf
from statistics import fmean
from textwrap import wrap

from evalsuite.cells import Cell
from evalsuite.compare.grid import Entry, Grid, Lines
from evalsuite.compare.table import make_table
from evalsuite.compare.words import flags, value_text
from evalsuite.safe_text import short

BEST = "Marked (* or bold): the best value of a task under the same setting; not a test of the difference"
AVERAGE = "Average: plain mean over the suite's primary values, where a model has all of them"
HEAD = 20
"""Characters of a line of a heading."""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """The task and metric of a row."""

    suite: str
    task: str
    metric: str
    split: str
    protocol: str
    strategy: str
    length: int
    """0 for natural documents."""


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """The options that columns of one model differ in."""

    shots: int
    cap: float
    """Infinite for the model's own maximum."""
    seed: int


Place = tuple[str, Asked]
"""The model of a column, and its options."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """The cells by row and column."""

    rows: tuple[Row, ...]
    columns: tuple[Place, ...]
    cells: Mapping[tuple[Row, Place], Cell]

    def value(self, row: Row, column: Place) -> float | None:
        """The value of a place; None without a cell, or if the cell is incomplete."""
        cell = self.cells.get((row, column))
        return cell.value if cell is not None and cell.complete else None

    def entry(self, row: Row, column: Place) -> Entry:
        """The text of a place."""
        cell = self.cells.get((row, column))
        return Entry((value_text(cell),), flags(cell), best=self._is_best(row, column, cell)) if cell else Entry()

    def average(self, rows: Sequence[Row], column: Place) -> float | None:
        """The mean of the values of these rows; None if one is missing."""
        values = [self.value(row, column) for row in rows]
        known = [value for value in values if value is not None]
        return fmean(known) if known and len(known) == len(values) else None

    def _is_best(self, row: Row, column: Place, cell: Cell) -> bool:
        """Whether no other model has a better value with the same options. Values are rounded as shown."""
        values = [self.value(row, other) for other in self.columns if other[1] == column[1]]
        known = [round(value, 1) for value in values if value is not None]
        own = self.value(row, column)
        if own is None or len(known) < 2:  # noqa: PLR2004 - alone it has no rival
            return False
        return round(own, 1) == (max(known) if cell.higher_is_better else min(known))


def wide_grid(cells: Sequence[Cell]) -> tuple[Grid, tuple[str, ...]]:
    """The table, and notes that explain its marks. The longer of its two sides is the rows.

    Args:
        cells: the cells to show.

    Raises:
        UsageError: two runs have a value for one place.
    """
    make_table(cells, every_metric=True)  # refuses two values for one place
    arranged = _arranged(cells)
    averaged = {_row(cell) for cell in cells if _counts(cell)}
    labels: list[Lines] = []
    rows: list[tuple[Entry, ...]] = []
    ends: set[int] = set()
    for suite, members in groupby(arranged.rows, key=lambda row: row.suite):
        lines = list(_lines(arranged, suite, list(members), averaged))
        labels += [label for label, _ in lines]
        rows += [entries for _, entries in lines]
        ends.add(len(rows) - 1)
    grid = Grid(_title(arranged), "task", _heads(arranged.columns), tuple(labels), tuple(rows), frozenset(ends))
    notes = [BEST] if any(entry.best for row in rows for entry in row) else []
    notes += [AVERAGE] if any(label[0].startswith("average of ") for label in labels) else []
    return (grid.transposed("model") if len(grid.heads) > len(grid.rows) else grid), tuple(notes)


def _arranged(cells: Sequence[Cell]) -> Arranged:
    placed = {(_row(cell), (cell.model, _asked(cell))): cell for cell in cells}
    rows = tuple(sorted({row for row, _ in placed}))
    unsorted = Arranged(rows, tuple(dict.fromkeys(column for _, column in placed)), placed)
    return replace(unsorted, columns=tuple(_ranked(unsorted)))


def _ranked(arranged: Arranged) -> Iterator[Place]:
    """The columns, highest mean first. The mean is over the places where all models have a value."""
    models = tuple(dict.fromkeys(model for model, _ in arranged.columns))
    settings = sorted({asked for _, asked in arranged.columns})
    values: dict[str, list[float]] = defaultdict(list)
    for row, asked in product(sorted({row for (row, _), cell in arranged.cells.items() if _counts(cell)}), settings):
        found = [arranged.value(row, (model, asked)) for model in models]
        known = [value for value in found if value is not None]
        if len(known) == len(models):
            for model, value in zip(models, known, strict=True):
                values[model].append(value)
    ranked = sorted(models, key=lambda model: -fmean(values[model] or [0.0]))
    return (place for place in product(ranked, settings) if place in set(arranged.columns))


def _lines(
    arranged: Arranged, suite: str, members: Sequence[Row], averaged: Collection[Row]
) -> Iterator[tuple[Lines, tuple[Entry, ...]]]:
    """The rows of a suite, and their average if there are at least two."""
    for row in members:
        yield (_name(row, arranged.rows),), tuple(arranged.entry(row, column) for column in arranged.columns)
    counted = [row for row in members if row in averaged]
    if len(counted) > 1:
        means = [arranged.average(counted, column) for column in arranged.columns]
        yield (f"average of {short(suite)}",), tuple(Entry(("" if mean is None else f"{mean:.1f}",)) for mean in means)


def _counts(cell: Cell) -> bool:
    """Whether a value may be averaged with the values of other tasks."""
    return cell.primary and cell.higher_is_better


def _row(cell: Cell) -> Row:
    axes = (cell.suite, cell.task, cell.metric, cell.split, cell.protocol, cell.strategy)
    return Row(*axes, cell.length or 0)


def _asked(cell: Cell) -> Asked:
    return Asked(cell.shots, inf if cell.max_prompt_tokens is None else cell.max_prompt_tokens, cell.seed)


def _name(row: Row, rows: Sequence[Row]) -> str:
    """Task and metric, and what else identifies the row."""
    alike = [other for other in rows if (other.task, other.metric) == (row.task, row.metric)]
    said = [getattr(row, axis) for axis in ("split", "protocol", "strategy") if _differ(alike, axis)]
    size = [f"length {row.length:,}"] if row.length else []
    return short(", ".join((f"{row.task} ({row.metric})", *said, *size)))


def _differ(values: Sequence[object], axis: str) -> bool:
    return len({getattr(value, axis) for value in values}) > 1


def _title(arranged: Arranged) -> str:
    tasks = f"{len({row.task for row in arranged.rows})} tasks"
    settings = [asked for _, asked in arranged.columns]
    return ", ".join((tasks, *_said(settings[0], [axis for axis in ("shots", "cap") if not _differ(settings, axis)])))


def _heads(columns: Sequence[Place]) -> tuple[Lines, ...]:
    settings = [asked for _, asked in columns]
    varying = [axis for axis in _SAID if _differ(settings, axis)]
    return tuple((*(wrap(short(model), HEAD) or ["?"]), *_said(asked, varying)) for model, asked in columns)


_SAID: Mapping[str, Callable[[Asked], str]] = {
    "shots": lambda asked: f"{asked.shots}-shot",
    "cap": lambda asked: "model's maximum" if asked.cap == inf else f"cap {asked.cap:,}",
    "seed": lambda asked: f"seed {asked.seed}",
}


def _said(asked: Asked, axes: Iterable[str]) -> tuple[str, ...]:
    return tuple(_SAID[axis](asked) for axis in axes)
