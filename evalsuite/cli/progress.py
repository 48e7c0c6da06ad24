"""How far a run is: a bar with rate and time left on a terminal, plain lines elsewhere and in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from evalsuite.cli.output import log, quiet, tell
from evalsuite.safe_text import plain

if TYPE_CHECKING:
    from evalsuite.runs.execute import Outcome, Progress

LINE_SECONDS = 10.0
"""A plain line at most this often."""
LEAST_SHARE = 0.01
"""Before this much of the work is done, what is left is not told."""


@contextmanager
def progress(asked: int, name: str = "") -> Iterator[Callable[[Progress], None]]:
    """Something to report progress to.

    Args:
        asked: samples, summed over cells.
        name: what the bar is called; for several models one after the other.
    """
    on_terminal = sys.stderr is not None and sys.stderr.isatty() and not quiet()
    lines = _Lines(asked, name, log if on_terminal else tell)
    if not on_terminal:
        yield lines
        return
    with _bar(asked, name) as report:

        def both(now: Progress) -> None:
            report(now)
            lines(now)

        yield both


def summary(outcome: Outcome, seconds: float, spent: float | None) -> str:
    """What a run took, in one line: time, tokens, share of the prompts' tokens not computed again, cost.

    Args:
        outcome: how it ended.
        seconds: from the first to the last question.
        spent: its cost, None where no prices are known.
    """
    usage = outcome.usage
    tokens = f"{usage.prompt:,} prompt tokens"
    if usage.cached is not None and usage.prompt:
        tokens += f" ({usage.cached / usage.prompt:.0%} of them reused from a shared prefix)"
    cost = "" if spent is None else f"; cost {spent:.4g}"
    return f"asked in {_duration(seconds)}: {tokens}, {usage.answer:,} answer tokens{cost}"


@contextmanager
def _bar(asked: int, name: str) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        row = bar.add_task(_named(name, "starting"), total=asked, said="")
        pace = _Pace()

        def report(now: Progress) -> None:
            pace.note(now)
            said = ", ".join(filter(None, (pace.rate(now), _failed(now), pace.left(now))))
            bar.update(row, completed=now.done + now.failed, description=_named(name, _short(now.cell)), said=said)

        yield report


class _Pace:
    """Speed and time left, by the work that this process did."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def note(self, now: Progress) -> None:
        """Work that a former process did takes no time worth telling: the clock runs from the first question."""
        if not now.share and now.done + now.failed < now.asked:
            self._begun = time.monotonic()

    def rate(self, now: Progress) -> str:
        seconds = time.monotonic() - self._begun
        answered = now.done - now.resumed
        return f"{answered / seconds:.1f}/s" if seconds > 0 and answered else ""

    def left(self, now: Progress) -> str:
        finished = now.done + now.failed >= now.asked
        if now.share < LEAST_SHARE or finished:
            return ""
        seconds = (time.monotonic() - self._begun) * (1 - now.share) / now.share
        return f"about {_duration(seconds)} left"


class _Lines:
    """Prints the first, the last, and one line every few seconds in between."""

    def __init__(self, asked: int, name: str, write: Callable[[str], None]) -> None:
        self._asked, self._name, self._write = asked, name, write
        self._pace = _Pace()
        self._next = 0.0

    def __call__(self, now: Progress) -> None:
        self._pace.note(now)
        finished = now.done + now.failed >= self._asked
        if time.monotonic() < self._next and not finished:
            return
        self._next = time.monotonic() + LINE_SECONDS
        resumed = f"{now.resumed} of them known before" if now.resumed else ""
        said = (f"{now.done}/{now.asked} done", resumed, _failed(now), self._pace.rate(now), self._pace.left(now))
        self._write(f"{', '.join(filter(None, said))} [{_named(self._name, _short(now.cell))}]")


def _failed(now: Progress) -> str:
    return f"{now.failed} failed" if now.failed else ""


def _named(name: str, rest: str) -> str:
    return plain(f"{name}: {rest}" if name else rest)


def _short(cell: str) -> str:
    task, _, rest = cell.partition("/")
    return f"{task} {next((part for part in rest.split('/') if part.endswith('-shot')), '')}"


def _duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:  # noqa: PLR2004 - a minute and a half
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - same
