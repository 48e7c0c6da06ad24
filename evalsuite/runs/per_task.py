"""Options that may speak of one task alone: ``5`` for all, ``qasper=3`` for one, or both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.errors import UsageError


def for_task(asked: str | None, task: str) -> str | None:
    """What an option says of one task: ``a`` for all, ``qasper=a`` for one, or both, separated by commas."""
    chosen = None
    for name, value in _entries(asked):
        if name == task or (name is None and chosen is None):
            chosen = value
    return chosen


def check_names(option: str, asked: str | None, tasks: Sequence[str]) -> None:
    """Refuses an option that names no task asked, no value, or two values for one task.

    Raises:
        UsageError: it does.
    """
    named: set[str | None] = set()
    for name, value in _entries(asked):
        if not value or name not in (None, *tasks):
            entry = value if name is None else f"{name}={value}"
            raise UsageError(f"{option} {asked}: {entry!r} names no value or no task asked ({', '.join(tasks)})")
        if name in named:
            one = "every task" if name is None else f"task {name}"
            raise UsageError(f"{option} {asked}: two values for {one}; give one, and others as TASK=VALUE")
        named.add(name)


def _entries(asked: str | None) -> Iterator[tuple[str | None, str]]:
    """Task, None where the entry is for all, and value of every entry of an option."""
    for entry in () if asked is None else asked.split(","):
        name, equals, value = entry.rpartition("=")
        yield (name if equals else None), value
