"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.compare.grid import Entry, Grid, Sheet
from evalsuite.safe_text import markdown_safe


def to_markdown(sheet: Sheet) -> str:
    """Pipe tables, the best value of a row in bold."""
    return "\n".join((*map(_table, sheet.grids), *(f"{markdown_safe(note)}\n" for note in sheet.notes)))


def _table(grid: Grid) -> str:
    heads = [markdown_safe(" ".join(lines)) for lines in grid.heads]
    lines = [f"**{markdown_safe(grid.title)}**\n", _line([grid.corner, *heads]), "|---" * (len(heads) + 1) + "|"]
    for label, row in zip(grid.labels, grid.rows, strict=True):
        lines.append(_line(["<br>".join(map(markdown_safe, label)), *map(_entry, row)]))
    return "\n".join(lines) + "\n"


def _line(texts: Sequence[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def _entry(entry: Entry) -> str:
    value, *counts = map(markdown_safe, entry.lines)
    shown = f"**{value}**" if entry.best else value
    return "<br>".join((f"{shown} {entry.flags}".strip(), *counts))
