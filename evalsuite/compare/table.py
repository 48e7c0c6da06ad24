"""The comparison table: models down, task x shots x cap across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.errors import UsageError
from evalsuite.safe_text import plain
from evalsuite.types import Cell


@dataclass(frozen=True, slots=True)
class Column:
    """What is the same for all values below one heading."""

    task: str
    protocol: str
    split: str
    metric: str
    shots: int
    seed: int
    max_prompt_tokens: int | None
    length: int | None
    strategy: str

    @property
    def title(self) -> str:
        """What a table of this task and metric is called, safe for a terminal."""
        return plain(f"{self.task} ({self.metric}, {self.split})")

    def heading(self, varying: frozenset[str]) -> tuple[str, ...]:
        """Lines of a heading, safe for a terminal: the task and metric, then only what differs in the table."""
        cap = "uncut" if self.max_prompt_tokens is None else f"cap {self.max_prompt_tokens:,}"
        size = "" if self.length is None else f"length {self.length:,}"
        said = {
            "protocol": self.protocol,
            "split": self.split,
            "shots": f"{self.shots}-shot",
            "seed": f"seed {self.seed}",
            "max_prompt_tokens": cap if self.max_prompt_tokens is not None else "model's maximum",
            "length": size,
            "strategy": self.strategy,
        }
        always = ("shots", "length")
        rest = [text for name, text in said.items() if text and (name in varying or name in always)]
        return tuple(plain(line) for line in (self.task, self.metric, *rest))


@dataclass(frozen=True, slots=True)
class Table:
    """Cells arranged; a place without a cell is None."""

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | None, ...], ...]

    @property
    def varying(self) -> frozenset[str]:
        """Names of the axes on which columns differ."""
        names = Column.__dataclass_fields__
        return frozenset(name for name in names if len({getattr(column, name) for column in self.columns}) > 1)


def make_table(cells: Sequence[Cell], *, every_metric: bool = False) -> Table:
    """Arranges cells of one or more runs.

    Args:
        cells: of all runs.
        every_metric: also the metrics that are not a task's primary one.

    Raises:
        UsageError: two runs have a value for one place.
    """
    shown = [cell for cell in cells if cell.primary or every_metric]
    models = tuple(dict.fromkeys(cell.model for cell in shown))
    columns = tuple(dict.fromkeys(column_of(cell) for cell in shown))
    placed: dict[tuple[str, Column], Cell] = {}
    for cell in shown:
        place = (cell.model, column_of(cell))
        if place in placed:
            raise UsageError(
                f"two runs hold {cell.task} {cell.shots}-shot of model {plain(cell.model)!r}; compare one of them, or "
                "give the models different names (--model-name)"
            )
        placed[place] = cell
    rows = tuple(tuple(placed.get((model, column)) for column in columns) for model in models)
    return Table(models, columns, rows)


def column_of(cell: Cell) -> Column:
    """The heading a cell belongs under."""
    return Column(**{name: getattr(cell, name) for name in Column.__dataclass_fields__})


def value_text(cell: Cell | None) -> str:
    """``mean ± clustered error``, or why there is none."""
    if cell is None:
        return ""
    if cell.value is None:
        return "incomplete" if not cell.complete else "none scored"
    error = "" if cell.stderr is None else f" ± {cell.stderr:.1f}"
    return f"{cell.value:.1f}{error}{'' if cell.complete else ' (incomplete)'}"


def count_lines(cell: Cell | None) -> tuple[str, ...]:
    """Answered of asked, share cut, evidence lost; what went wrong only where something did."""
    if cell is None:
        return ()
    said = [f"{cell.scored + cell.unscorable}/{cell.asked} scored"]
    said += [f"{count} {what}" for what in ("unscorable", "failed", "skipped") if (count := getattr(cell, what))]
    said.append(f"{100 * cell.cut / cell.asked:.0f}% cut" if cell.asked else "none asked")
    if cell.evidence_lost:
        said.append(f"{cell.evidence_lost} lost evidence")
    return tuple(said)
