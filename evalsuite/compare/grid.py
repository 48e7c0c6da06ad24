"""Texts in rows and columns, before they are written in a format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of a table. All texts are safe for a terminal."""

    lines: Lines = ("",)
    """The value, and counts below it."""
    flags: str = ""
    """Letters after the value, if the counts have no room."""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """One table."""

    title: str
    corner: str
    """The heading of the row labels."""
    heads: tuple[Lines, ...]
    """One for each column."""
    labels: tuple[Lines, ...]
    """One for each row."""
    rows: tuple[tuple[Entry, ...], ...]
    ends: frozenset[int] = frozenset()
    """The last row of each group."""

    def transposed(self, corner: str) -> Grid:
        """Rows as columns."""
        across = tuple(zip(*self.rows, strict=True))
        return replace(self, corner=corner, heads=self.labels, labels=self.heads, rows=across, ends=frozenset())

    def columns(self, chosen: Sequence[int]) -> Grid:
        """Some of the columns."""
        rows = tuple(tuple(row[at] for at in chosen) for row in self.rows)
        return replace(self, heads=tuple(self.heads[at] for at in chosen), rows=rows)

    def part(self, chosen: range) -> Grid:
        """Some of the rows, one after the other."""
        ends = frozenset(at - chosen.start for at in self.ends if at in chosen)
        return replace(self, labels=tuple(self.labels[at] for at in chosen), rows=self._rows(chosen), ends=ends)

    def _rows(self, chosen: range) -> tuple[tuple[Entry, ...], ...]:
        return tuple(self.rows[at] for at in chosen)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Tables, and notes that explain their words."""

    grids: tuple[Grid, ...]
    notes: tuple[str, ...]


def chunks(sizes: Sequence[float], room: float) -> Iterator[range]:
    """Groups of neighbours that fit together. An item that is too large is a group of its own."""
    start, taken = 0, 0.0
    for at, size in enumerate(sizes):
        if at > start and taken + size > room:
            yield range(start, at)
            start, taken = at, 0.0
        taken += size
    if start < len(sizes):
        yield range(start, len(sizes))
