"""Names after ``--tasks``: ours, and those of lm-eval, in one list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evalsuite.interop.harness import harness_tasks, is_harness
from evalsuite.plugins import select_tasks
from evalsuite.task import Task


def choose_tasks(names: Sequence[str], tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """The tasks of these names, in order; ``lm-eval:NAME`` and ``llama2-short`` are lm-eval's.

    Raises:
        UsageError: an unknown name, or a task lm-eval cannot load.
    """
    chosen: dict[str, Task] = {}
    for name in names:
        found = harness_tasks([name]) if is_harness(name) else select_tasks([name], tasks)
        chosen.update({task.name: task for task in found})
    return tuple(chosen.values())


def known_tasks(
    tasks: Mapping[str, Task], asked: Iterable[str], needed: Iterable[str], named: Sequence[str] = ()
) -> dict[str, Task]:
    """Our tasks and those of lm-eval a run asked for, by name: what scoring that run needs.

    A run directory is data: files are loaded only where the command line names them.

    Args:
        tasks: ours.
        asked: the names the run was begun with (``RunSpec.tasks``); looked up among lm-eval's own tasks.
        needed: the names of the tasks it holds answers to.
        named: names of the command line, which may be files of lm-eval tasks.

    Raises:
        UsageError: the run asked a file that the command line does not name, or lm-eval does not know a task.
    """
    known = {**tasks, **{task.name: task for name in named if is_harness(name) for task in harness_tasks([name])}}
    if not set(needed) <= set(known):
        theirs = harness_tasks((name for name in asked if is_harness(name) and name not in named), files=False)
        known = {**{task.name: task for task in theirs}, **known}
    return known
