"""The texts of a cell: its value with an error or interval, and its counts in words or letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor

from evalsuite.cells import Cell
from evalsuite.compare.table import Table
from evalsuite.stats.bounded import FULL, wilson

UNPARSED = "unparsed"
EXACT = 1e-9
"""With a smaller error, all values are equal."""
SMALLEST = 0.05
"""An error below this would be shown as 0.0."""


def value_text(cell: Cell | None) -> str:
    """``mean ± clustered error``, or why there is no value."""
    if cell is None:
        return ""
    if cell.value is None:
        return "incomplete" if not cell.complete else "none scored"
    return f"{cell.value:.1f}{_error_text(cell, cell.value)}{'' if cell.complete else ' (incomplete)'}"


def _error_text(cell: Cell, value: float) -> str:
    if cell.stderr is None:
        return ""
    if _without_spread(cell):
        low, high = wilson(value, _documents(cell))
        return f" [{floor(low)}, {ceil(high)}]"
    return " ± <0.1" if cell.stderr < SMALLEST else f" ± {cell.stderr:.1f}"


def _without_spread(cell: Cell) -> bool:
    """Whether all documents gave the same value. An error of 0 would then be misleading."""
    return cell.stderr is not None and cell.value is not None and cell.stderr < EXACT and 0 <= cell.value <= FULL


def _documents(cell: Cell) -> int:
    """Documents that are certainly in the value. Each question without a scored answer may have removed one."""
    return max(2, cell.documents - cell.skipped - cell.failed)


def count_lines(cell: Cell | None) -> tuple[str, ...]:
    """Lines on scored answers and cuts. Problems are listed only if there are any."""
    if cell is None:
        return ()
    answered = cell.scored + cell.unscorable
    said = [f"{answered}/{cell.asked} answers"]
    said += [f"{count} {label}" for name, label in _TROUBLES if (count := getattr(cell, name))]
    if cell.strategy == "imported":
        said.append("cuts unknown")
    elif answered:
        said += _cut_lines(cell, answered)
    if cell.output_capped:
        said.append(f"{cell.output_capped} at output limit")
    return tuple(said)


_TROUBLES = (("unscorable", UNPARSED), ("failed", "failed or missing"), ("skipped", "skipped"))


def _cut_lines(cell: Cell, answered: int) -> Iterator[str]:
    """How many prompts were cut, how much of a prompt was kept on average, and what the cut removed."""
    left = "" if cell.kept is None or not cell.cut else f", {percent(cell.kept)} kept"
    yield f"{percent(cell.cut / answered)} cut{left}"
    if cell.demonstrations_lost:
        yield f"{cell.demonstrations_lost}/{answered} lost demonstrations"
    if cell.evidence_lost:
        yield f"{cell.evidence_lost} lost evidence"


def percent(share: float) -> str:
    """A share in percent. ``0%`` means none, and ``100%`` means all; other shares are never shown so."""
    value = 100 * share
    if 0 < value < 1:
        return f"{value:.1f}%" if value >= 0.1 else "<0.1%"  # noqa: PLR2004 - the last digit shown
    if 99 < value < 100:  # noqa: PLR2004 - as above
        return ">99%"
    return f"{value:.0f}%"


def shared_lines(row: Sequence[Cell | None]) -> tuple[str, ...]:
    """The count lines that are the same for every cell of a row. They are shown once, with the model."""
    counted = [count_lines(cell) for cell in row if cell is not None]
    return tuple(line for line in counted[0] if all(line in lines for lines in counted)) if counted else ()


def common_lines(table: Table) -> tuple[str, ...]:
    """The count lines that are the same for the whole table. They are shown once, in its title."""
    return shared_lines([cell for row in table.rows for cell in row])


def cell_lines(cell: Cell | None, shared: Sequence[str]) -> tuple[str, ...]:
    """The value, and the count lines that are not shown for the whole row."""
    return (value_text(cell), *(line for line in count_lines(cell) if line not in shared))


FLAGS = (
    ("c", "cut", "prompts were cut"),
    ("d", "demonstrations_lost", "prompts lost demonstrations to the cut"),
    ("e", "evidence_lost", "prompts lost evidence to the cut"),
    ("o", "output_capped", "answers ended at the output limit"),
    ("u", "unscorable", "answers could not be parsed"),
)
"""The letters after a value, if there is no room for counts."""


def flags(cell: Cell) -> str:
    """One letter for each count that is not 0. A capital letter means all scored answers."""
    answered = cell.scored + cell.unscorable
    counted = [(letter, getattr(cell, name)) for letter, name, _ in FLAGS]
    return "".join(letter.upper() if count == answered else letter for letter, count in counted if count)


def flag_legend(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Explains the letters of these cells."""
    used = {letter.lower() for cell in cells for letter in flags(cell)}
    said = [f"{letter}: {meaning}" for letter, _, meaning in FLAGS if letter in used]
    return (f"Letters (small: some, capital: all): {'; '.join(said)}.",) if said else ()


def legend(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Other notes for a reader of these cells."""
    said = {
        f"{UNPARSED}: the official scorer found no answer in the text; what it gives for that, usually 0, counts": any(
            cell.unscorable for cell in cells
        ),
        "[a, b]: all documents gave the same value, so that their spread says nothing; a 95% Wilson interval over the "
        "documents, in place of ±": any(_without_spread(cell) for cell in cells),
        "scored by an older evalsuite, which did not count lost demonstrations and answers at the output limit: "
        "evalsuite score DIR counts them": any(cell.output_capped is None for cell in cells),
    }
    return tuple(line for line, applies in said.items() if applies)
