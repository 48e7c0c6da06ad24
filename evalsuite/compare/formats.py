"""One table in five formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from evalsuite.compare.table import (
    Table,
    cell_lines,
    common_lines,
    legend,
    make_table,
    make_tables,
    shared_lines,
    value_text,
)
from evalsuite.safe_text import csv_safe, markdown_safe, plain
from evalsuite.types import Cell

if TYPE_CHECKING:
    from pandas import DataFrame


def render(cells: Sequence[Cell], form: str, *, every_metric: bool = False) -> str:
    """The cells in one of ``FORMATS``."""
    return FORMATS[form](cells, every_metric)


WIDEST = 10_000
"""Columns no table needs."""


def to_terminal(cells: Sequence[Cell], every_metric: bool) -> str:  # noqa: FBT001 - one signature for all formats
    """Tables of box-drawing characters, as many columns side by side as a terminal shows."""
    from io import StringIO

    from rich.console import Console

    buffer = StringIO()
    console = Console(file=buffer, width=_terminal_width(), highlight=False, markup=False, emoji=False)
    for table in make_tables(cells, every_metric=every_metric):
        console.print(_title(table), style="italic")  # a table's own title would wrap at its width
        shown = _rich(table)
        # A terminal may wrap a line; a table may not lose a digit.
        needed = console.measure(shown, options=console.options.update(max_width=WIDEST)).maximum
        console.width = max(console.width, needed)
        console.print(shown, "")
    for line in legend(_shown(cells, every_metric)):
        console.print(line)
    return buffer.getvalue()


def to_markdown(cells: Sequence[Cell], every_metric: bool) -> str:  # noqa: FBT001 - as above
    """A pipe table a task and metric, models down."""
    tables = [_markdown(table) for table in make_tables(cells, every_metric=every_metric)]
    return "\n".join((*tables, *(f"{line}\n" for line in legend(_shown(cells, every_metric)))))


def to_csv(cells: Sequence[Cell], every_metric: bool) -> str:  # noqa: FBT001 - as above
    """One row a cell, every field; texts cannot become formulas."""
    frame = to_frame(_shown(cells, every_metric))
    texts = [name for name in frame.columns if frame[name].map(lambda value: isinstance(value, str)).any()]
    for name in texts:
        frame[name] = frame[name].map(lambda value: csv_safe(plain(value)) if isinstance(value, str) else value)
    return str(frame.to_csv(index=False))


def to_latex(cells: Sequence[Cell], every_metric: bool) -> str:  # noqa: FBT001 - as above
    """A booktabs table, texts escaped."""
    import pandas as pd

    table = make_table(cells, every_metric=every_metric)
    headings = [" ".join(column.heading(table.varying)) for column in table.columns]
    rows = [[value_text(cell) for cell in row] for row in table.rows]
    frame = pd.DataFrame(rows, index=[plain(model) for model in table.models], columns=headings)
    return str(frame.to_latex(escape=True)).replace("±", r"$\pm$")


def to_json(cells: Sequence[Cell], every_metric: bool) -> str:  # noqa: FBT001 - as above
    """The cells themselves, as ``evalsuite schema cell`` describes them; always every metric."""
    del every_metric
    return json.dumps([asdict(cell) for cell in cells], indent=1) + "\n"


def to_frame(cells: Sequence[Cell]) -> DataFrame:
    """The cells as a pandas table, one row each."""
    import pandas as pd

    return pd.DataFrame([asdict(cell) for cell in cells], columns=list(Cell.__dataclass_fields__), dtype=object)


FORMATS: Mapping[str, Callable[[Sequence[Cell], bool], str]] = {
    "terminal": to_terminal,
    "markdown": to_markdown,
    "csv": to_csv,
    "latex": to_latex,
    "json": to_json,
}


def _shown(cells: Sequence[Cell], every_metric: bool) -> list[Cell]:  # noqa: FBT001 - as above
    return [cell for cell in cells if cell.primary or every_metric]


def _rich(table: Table) -> Any:
    from rich import box
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False)
    common = common_lines(table)
    shown.add_column("model", no_wrap=True)
    for column in table.columns:
        shown.add_column("\n".join(column.heading(table.varying)[2:]), justify="right")
    for model, row in zip(table.models, table.rows, strict=True):
        shared = shared_lines(row)
        own = [line for line in shared if line not in common]
        shown.add_row("\n".join((plain(model), *own)), *("\n".join(cell_lines(cell, shared)) for cell in row))
    return shown


def _title(table: Table) -> str:
    return ", ".join((table.columns[0].title, *common_lines(table)))


def _markdown(table: Table) -> str:
    common = common_lines(table)
    headings = [markdown_safe(" ".join(column.heading(table.varying)[2:])) for column in table.columns]
    lines = [
        f"**{markdown_safe(_title(table))}**\n",
        "| model | " + " | ".join(headings) + " |",
        "|---" * (len(headings) + 1) + "|",
    ]
    for model, row in zip(table.models, table.rows, strict=True):
        shared = shared_lines(row)
        own = [line for line in shared if line not in common]
        values = ["<br>".join(cell_lines(cell, shared)) for cell in row]
        lines.append("| " + " | ".join(["<br>".join((markdown_safe(plain(model)), *own)), *values]) + " |")
    return "\n".join(lines) + "\n"


def _terminal_width() -> int:
    from shutil import get_terminal_size

    return max(100, get_terminal_size((140, 24)).columns)
