"""Finds tasks: the built-in folders, folders of ``--include-path``, and installed packages' entry points.

A plug-in folder holds ``task.py``, which ends in ``TASKS = (...)``; its siblings are imported relatively.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from evalsuite.benchmark import Benchmark
from evalsuite.checked.calls import guarded
from evalsuite.errors import UsageError, unknown
from evalsuite.task import Task

BUILT_IN = "evalsuite.tasks"
ENTRY_POINT_GROUP = "evalsuite.tasks"


def built_in_folder() -> Path:
    """The folder of the built-in tasks: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "tasks"
    return inside if inside.is_dir() else package.parent / "tasks"


def find_tasks(include_paths: Sequence[str] = ()) -> Mapping[str, Task]:
    """All tasks by name, sorted.

    Args:
        include_paths: folders of plug-in folders, or single plug-in folders.

    Raises:
        UsageError: two tasks share a name, or a plug-in cannot be loaded.
    """
    found: dict[str, Task] = {}
    origins: dict[str, str] = {}
    for origin, task in _all(tuple(include_paths)):
        if task.name in found:
            raise UsageError(
                f"two tasks are called {task.name!r}: one from {origins[task.name]}, one from {origin}; rename one"
            )
        found[task.name], origins[task.name] = task, origin
    return dict(sorted(found.items()))


def select_tasks(names: Iterable[str], tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """The tasks of these names; a suite's name stands for all its tasks, in the suite's order.

    Raises:
        UsageError: an unknown name, answered with the nearest ones.
    """
    suites = {task.suite for task in tasks.values()}
    chosen: dict[str, Task] = {}
    for name in names:
        if name in tasks:
            chosen[name] = tasks[name]
        elif name in suites:
            chosen.update({task.name: task for task in tasks.values() if task.suite == name})
        else:
            raise UsageError(unknown("task", name, [*tasks, *suites]))
    return tuple(chosen.values())


def find_benchmarks() -> Mapping[str, Benchmark]:
    """What the built-in folders bring besides their tasks, by folder; folders that bring tasks alone are left out."""
    found: dict[str, Benchmark] = {}
    for task_file in sorted(built_in_folder().glob("*/task.py")):
        folder = task_file.parent.name
        benchmark = getattr(module(folder, "task"), "BENCHMARK", None)
        if benchmark is not None:
            found[folder] = benchmark
    return found


def module(folder: str, name: str) -> ModuleType:
    """A module of a built-in plug-in folder, e.g. ``module("zeroscrolls", "cut")``."""
    return importlib.import_module(f"{_package(BUILT_IN, built_in_folder())}.{folder}.{name}")


def _all(include_paths: tuple[str, ...]) -> Iterator[tuple[str, Task]]:
    yield from _in_folder(BUILT_IN, built_in_folder())
    for path in include_paths:
        yield from _included(Path(path))
    yield from _installed()


def _in_folder(package: str, folder: Path) -> Iterator[tuple[str, Task]]:
    for task_file in sorted(folder.glob("*/task.py")):
        yield from _tasks_of(f"{_package(package, folder)}.{task_file.parent.name}.task", str(task_file))


def _included(path: Path) -> Iterator[tuple[str, Task]]:
    if not path.is_dir():
        raise UsageError(f"--include-path {path}: no such folder")
    root = path.resolve()
    root = root.parent if (root / "task.py").is_file() else root
    package = f"evalsuite_included_{sha256(str(root).encode()).hexdigest()[:12]}"
    only = path.resolve().name if root != path.resolve() else "*"
    files = sorted(root.glob(f"{only}/task.py"))
    if not files:
        raise UsageError(f"--include-path {path}: no <folder>/task.py in it")
    for task_file in files:
        yield from _tasks_of(f"{_package(package, root)}.{task_file.parent.name}.task", str(task_file))


def _installed() -> Iterator[tuple[str, Task]]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINT_GROUP):
        origin = f"entry point {entry.name} = {entry.value}"
        try:
            tasks = entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise UsageError(f"{origin} cannot be loaded: {error!r}; uninstall or mend that package") from error
        yield from _checked(tasks, origin)


def _tasks_of(module_name: str, origin: str) -> Iterator[tuple[str, Task]]:
    try:
        tasks = getattr(importlib.import_module(module_name), "TASKS", None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() included
        raise UsageError(f"{origin} cannot be loaded: {error!r}") from error
    yield from _checked(tasks, origin)


def _checked(tasks: object, origin: str) -> Iterator[tuple[str, Task]]:
    if not isinstance(tasks, tuple) or not all(isinstance(task, Task) for task in tasks):
        raise UsageError(f"{origin} must end in TASKS = (...), a tuple of evalsuite.task.Task")
    yield from ((origin, guarded(task, origin)) for task in tasks)


@cache
def _package(name: str, folder: Path) -> str:
    """A parent package whose sub-packages are the plug-in folders; the ordinary import system does the rest."""
    parent = ModuleType(name)
    parent.__path__ = [str(folder)]
    sys.modules[name] = parent
    return name
