"""The comparison table: models down, task x shots x cap across."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalsuite.errors import UsageError
from evalsuite.safe_text import plain
from evalsuite.types import Cell

WIDE = 6
"""More columns than this do not fit a terminal side by side."""

UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True)
class Column:
    """What is the same for all values below one heading."""

    task: str
    protocol: str
    split: str
    metric: str
    shots: int | None
    """None where the table has its shots down the side."""
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
            "shots": "" if self.shots is None else f"{self.shots}-shot",
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
    """Labels of the rows, not made safe: models, with the shots where these go down the side."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | None, ...], ...]

    @property
    def varying(self) -> frozenset[str]:
        """Names of the axes on which columns differ."""
        names = Column.__dataclass_fields__
        return frozenset(name for name in names if len({getattr(column, name) for column in self.columns}) > 1)


def make_tables(cells: Sequence[Cell], *, every_metric: bool = False) -> tuple[Table, ...]:
    """One table a task, metric and split; a wide one has its shots down the side instead of across.

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
                f"two runs hold {cell.task} {cell.shots}-shot of model {plain(cell.model)!r}; compare one of them, or "
                "give the models different names (--model-name)"
            )
        placed[place] = cell
    models = tuple(dict.fromkeys(model for model, _ in placed))
    columns = tuple(dict.fromkeys(column for _, column in placed))
    return Table(models, columns, tuple(tuple(placed.get((model, column)) for column in columns) for model in models))


def column_of(cell: Cell, *, shots_down: bool = False) -> Column:
    """The heading a cell belongs under."""
    axes = {name: getattr(cell, name) for name in Column.__dataclass_fields__}
    return Column(**(axes | {"shots": None} if shots_down else axes))


def _narrow(cells: Sequence[Cell]) -> Table:
    table = make_table(cells, every_metric=True)
    return make_table(cells, every_metric=True, shots_down=True) if len(table.columns) > WIDE else table


def _label(cell: Cell, shots_down: bool) -> str:  # noqa: FBT001 - two words, called twice
    return f"{cell.model} {cell.shots}-shot" if shots_down else cell.model


def value_text(cell: Cell | None) -> str:
    """``mean ± clustered error``, or why there is none."""
    if cell is None:
        return ""
    if cell.value is None:
        return "incomplete" if not cell.complete else "none scored"
    error = "" if cell.stderr is None else f" ± {cell.stderr:.1f}"
    return f"{cell.value:.1f}{error}{'' if cell.complete else ' (incomplete)'}"


def count_lines(cell: Cell | None) -> tuple[str, ...]:
    """Judged of asked, what was cut and what that took; what went wrong only where something did."""
    if cell is None:
        return ()
    judged = cell.scored + cell.unscorable
    said = [f"{judged}/{cell.asked} judged"]
    said += [f"{count} {label}" for name, label in _TROUBLES if (count := getattr(cell, name))]
    if cell.strategy == "imported":
        said.append("cuts unknown")
    elif judged:
        said += _cut_lines(cell, judged)
    if cell.output_capped:
        said.append(f"{cell.output_capped} at output limit")
    return tuple(said)


_TROUBLES = (("unscorable", UNPARSED), ("failed", "failed or missing"), ("skipped", "skipped"))


def _cut_lines(cell: Cell, judged: int) -> Iterator[str]:
    """How many prompts were cut, how much of the prompts was left on average, and what the cut took with it."""
    left = "" if cell.kept is None or not cell.cut else f", {percent(cell.kept)} kept"
    yield f"{percent(cell.cut / judged)} cut{left}"
    if cell.demonstrations_lost:
        yield f"{cell.demonstrations_lost}/{judged} lost demonstrations"
    if cell.evidence_lost:
        yield f"{cell.evidence_lost} lost evidence"


def percent(share: float) -> str:
    """A share of one in percent; what is not nothing is never ``0%``, what is not all never ``100%``."""
    value = 100 * share
    if 0 < value < 1:
        return f"{value:.1f}%" if value >= 0.1 else "<0.1%"  # noqa: PLR2004 - the last digit shown
    if 99 < value < 100:  # noqa: PLR2004 - as above
        return ">99%"
    return f"{value:.0f}%"


def shared_lines(row: Sequence[Cell | None]) -> tuple[str, ...]:
    """The count lines that are the same for every cell of a row: said once, beside the model."""
    counted = [count_lines(cell) for cell in row if cell is not None]
    return tuple(line for line in counted[0] if all(line in lines for lines in counted)) if counted else ()


def common_lines(table: Table) -> tuple[str, ...]:
    """The count lines that are the same for the whole table: said once, behind its title."""
    return shared_lines([cell for row in table.rows for cell in row])


def cell_lines(cell: Cell | None, shared: Sequence[str]) -> tuple[str, ...]:
    """The value, and the count lines that are not said for the whole row."""
    return (value_text(cell), *(line for line in count_lines(cell) if line not in shared))


def legend(cells: Sequence[Cell]) -> tuple[str, ...]:
    """What a reader of these cells must know besides."""
    said = {
        f"{UNPARSED}: the official scorer found no answer in the text; what it gives for that, usually 0, counts": any(
            cell.unscorable for cell in cells
        ),
        "scored by an older evalsuite, which did not count lost demonstrations and answers at the output limit: "
        "evalsuite score DIR counts them": any(cell.output_capped is None for cell in cells),
    }
    return tuple(line for line, applies in said.items() if applies)
