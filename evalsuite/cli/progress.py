"""How far a run is: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evalsuite.cli.output import tell

if TYPE_CHECKING:
    from evalsuite.runs.execute import Progress

LINE_SECONDS = 10.0
"""A plain line at most this often."""


@contextmanager
def progress(asked: int) -> Iterator[Callable[[Progress], None]]:
    """Something to report progress to."""
    if sys.stderr is not None and sys.stderr.isatty():
        with _bar(asked) as report:
            yield report
    else:
        yield _Lines(asked)


@contextmanager
def _bar(asked: int) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        row = bar.add_task("starting", total=asked, rate="")
        rate = _Rate()

        def report(now: Progress) -> None:
            failed = f", {now.failed} failed" if now.failed else ""
            bar.update(
                row, completed=now.done + now.failed, description=_short(now.cell), rate=f"{rate.of(now)}{failed}"
            )

        yield report


class _Rate:
    def __init__(self) -> None:
        self._begun = time.monotonic()

    def of(self, now: Progress) -> str:
        seconds = time.monotonic() - self._begun
        answered = now.done - now.resumed
        return f"{answered / seconds:.1f}/s" if seconds > 0 and answered else ""

    def left(self, now: Progress) -> str:
        answered = now.done - now.resumed + now.failed
        if not answered:
            return ""
        seconds = (time.monotonic() - self._begun) / answered * (now.asked - now.done - now.failed)
        return f", about {seconds:.0f} s left"


class _Lines:
    """Prints the first, the last, and one line every few seconds in between."""

    def __init__(self, asked: int) -> None:
        self._asked = asked
        self._rate = _Rate()
        self._next = 0.0

    def __call__(self, now: Progress) -> None:
        finished = now.done + now.failed >= self._asked
        if time.monotonic() < self._next and not finished:
            return
        self._next = time.monotonic() + LINE_SECONDS
        failed = f", {now.failed} failed" if now.failed else ""
        resumed = f", {now.resumed} of them known before" if now.resumed else ""
        rate = self._rate.of(now)
        tell(
            f"{now.done}/{now.asked} done{resumed}{failed}{', ' + rate if rate else ''}{self._rate.left(now)}"
            f" [{_short(now.cell)}]"
        )


def _short(cell: str) -> str:
    task, _, rest = cell.partition("/")
    return f"{task} {next((part for part in rest.split('/') if part.endswith('-shot')), '')}"
