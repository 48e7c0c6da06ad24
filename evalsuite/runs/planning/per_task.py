"""The value of a block's option for one task: its own value, or the one for all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from evalsuite.errors import UsageError
from evalsuite.records import ALL

T = TypeVar("T")


def for_task(asked: Mapping[str, T], task: str) -> T | None:
    """The value for a task; None without one."""
    return asked.get(task, asked.get(ALL))


def check_names(option: str, asked: Mapping[str, object], tasks: Iterable[str]) -> None:
    """Refuses values for tasks that are not asked.

    Raises:
        UsageError: it names the first one.
    """
    known = dict.fromkeys(tasks)
    for name in asked:
        if name != ALL and name not in known:
            raise UsageError(f"{option} {name}={asked[name]}: the run asks no task {name!r} ({', '.join(known)})")
