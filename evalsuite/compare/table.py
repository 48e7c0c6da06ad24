"""The comparison table: a row for each model, a column for each task, number of shots and cap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.cells import Cell
from evalsuite.errors import UsageError
from evalsuite.safe_text import short

WIDE = 6
"""A terminal has no room for more columns than this."""


@dataclass(frozen=True, slots=True)
class Column:
    """The options that all values of one column share."""

    task: str
    protocol: str
    split: str
    metric: str
    shots: int | None
    """None if the rows name the shots."""
    seed: int
    max_prompt_tokens: int | None
    length: int | None
    strategy: str

    @property
    def title(self) -> str:
        """Title of a table of this task and metric, safe for a terminal."""
        return short(f"{self.task} ({self.metric}, {self.split})")

    def heading(self, varying: frozenset[str]) -> tuple[str, ...]:
        """Lines of a heading, safe for a terminal: task and metric, then the options that differ in the table."""
        cap = "uncut" if self.max_prompt_tokens is None else f"cap {self.max_prompt_tokens:,}"
        size = "" if self.length is None else f"length {self.length:,}"
        said = {
            "protocol": self.protocol,
            "split": self.split,
            "shots": "" if self.shots is None else f"{self.shots}-shot",
            "seed": f"seed {self.seed}",
            "max_prompt_tokens": cap if self.max_prompt_tokens is not None else "model's maximum",
            "length": size,
            "strategy": self.strategy,
        }
        always = ("shots", "length")
        rest = [text for name, text in said.items() if text and (name in varying or name in always)]
        return tuple(short(line) for line in (self.task, self.metric, *rest))


@dataclass(frozen=True, slots=True)
class Table:
    """Cells in rows and columns. A place without a cell is None."""

    models: tuple[str, ...]
    """Labels of the rows: models, with the shots if these are in the rows. They are not made safe yet."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | None, ...], ...]

    @property
    def varying(self) -> frozenset[str]:
        """Names of the options in which columns differ."""
        names = Column.__dataclass_fields__
        return frozenset(name for name in names if len({getattr(column, name) for column in self.columns}) > 1)


def make_tables(cells: Sequence[Cell], *, every_metric: bool = False) -> tuple[Table, ...]:
    """One table for each task, metric and split. If it has too many columns, the rows name the shots.

    Args:
        cells: of all runs.
        every_metric: also the metrics that are not a task's primary one.

    Raises:
        UsageError: two runs have a value for one place.
    """
    grouped: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.primary or every_metric:
            grouped[column_of(cell).title].append(cell)
    return tuple(_narrow(group) for group in grouped.values())


def make_table(cells: Sequence[Cell], *, every_metric: bool = False, shots_down: bool = False) -> Table:
    """Arranges cells of one or more runs.

    Args:
        cells: of all runs.
        every_metric: also the metrics that are not a task's primary one.
        shots_down: a row for each model and number of shots, instead of a row for each model.

    Raises:
        UsageError: two runs have a value for one place.
    """
    shown = [cell for cell in cells if cell.primary or every_metric]
    placed: dict[tuple[str, Column], Cell] = {}
    for cell in shown:
        place = (_label(cell, shots_down), column_of(cell, shots_down=shots_down))
        if place in placed:
            raise UsageError(
                f"two runs hold {cell.task} {cell.shots}-shot of model {short(cell.model)!r}; compare one of them, or "
                "give the models different names (--model-name)"
            )
        placed[place] = cell
    models = tuple(dict.fromkeys(model for model, _ in placed))
    columns = tuple(dict.fromkeys(column for _, column in placed))
    return Table(models, columns, tuple(tuple(placed.get((model, column)) for column in columns) for model in models))


def column_of(cell: Cell, *, shots_down: bool = False) -> Column:
    """The column of a cell."""
    axes = {name: getattr(cell, name) for name in Column.__dataclass_fields__}
    return Column(**(axes | {"shots": None} if shots_down else axes))


def _narrow(cells: Sequence[Cell]) -> Table:
    table = make_table(cells, every_metric=True)
    return make_table(cells, every_metric=True, shots_down=True) if len(table.columns) > WIDE else table


def _label(cell: Cell, shots_down: bool) -> str:  # noqa: FBT001 - two words, called twice
    return f"{cell.model} {cell.shots}-shot" if shots_down else cell.model
