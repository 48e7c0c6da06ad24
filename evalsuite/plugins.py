"""Finds plug-ins: the built-in folders, the folders of ``--include-path``, and entry points of installed packages.

A plug-in folder has a file ``task.py``, which ends in ``TASKS = (...)``. A plug-in with more than tasks also has
``BENCHMARK = Benchmark(...)``. ``task.py`` imports other modules of its folder relatively.
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
from evalsuite.checked.benchmark import guarded_benchmark
from evalsuite.checked.calls import guarded
from evalsuite.errors import UsageError, unknown
from evalsuite.task import Task

BUILT_IN = "evalsuite.tasks"
ENTRY_POINT_GROUP = "evalsuite.tasks"
BENCHMARK_GROUP = "evalsuite.benchmarks"


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
    """The tasks with these names. The name of a suite stands for all its tasks, in the order of the suite.

    Raises:
        UsageError: a name is unknown; the message suggests the nearest names.
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


def find_benchmarks(include_paths: Sequence[str] = ()) -> Mapping[str, Benchmark]:
    """What plug-ins bring besides their tasks, by their origin. Plug-ins with tasks only are left out.

    Args:
        include_paths: as ``find_tasks`` takes them.

    Raises:
        UsageError: a plug-in cannot be loaded, or two bring a prediction format or a submission of one name.
    """
    found = dict(_benchmarks(tuple(include_paths)))
    formats = [(origin, f"prediction format {one.name!r}") for origin, by in found.items() for one in by.predictions]
    submissions = [(origin, f"submission {by.submission.suite!r}") for origin, by in found.items() if by.submission]
    named: dict[str, str] = {}
    for origin, what in (*formats, *submissions):
        if what in named:
            raise UsageError(f"two benchmarks have a {what}: one from {named[what]}, one from {origin}; rename one")
        named[what] = origin
    return found


def tasks_by_folder(include_path: str | None = None) -> Mapping[Path, tuple[Task, ...]]:
    """The plug-in folders and their tasks: the built-in ones, or those of one ``--include-path``."""
    files = _files(BUILT_IN, built_in_folder()) if include_path is None else _included(Path(include_path))
    return {file.parent: tuple(task for _, task in _tasks_of(module, str(file))) for file, module in files}


def module(folder: str, name: str) -> ModuleType:
    """A module of a built-in plug-in folder, e.g. ``module("zeroscrolls", "naive")``: for notebooks and tests.

    The package itself does not use it. It needs only TASKS and BENCHMARK of a folder.
    """
    return importlib.import_module(f"{_package(BUILT_IN, built_in_folder())}.{folder}.{name}")


def _folders(include_paths: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """``task.py`` of every plug-in folder, and the name of its module."""
    yield from _files(BUILT_IN, built_in_folder())
    for path in include_paths:
        yield from _included(Path(path))


def _files(package: str, root: Path, only: str = "*") -> Iterator[tuple[Path, str]]:
    for file in sorted(root.glob(f"{only}/task.py")):
        yield file, f"{_package(package, root)}.{file.parent.name}.task"


def _included(path: Path) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        raise UsageError(f"--include-path {path}: no such folder")
    root = path.resolve()
    root = root.parent if (root / "task.py").is_file() else root
    package = f"evalsuite_included_{sha256(str(root).encode()).hexdigest()[:12]}"
    found = list(_files(package, root, path.resolve().name if root != path.resolve() else "*"))
    if not found:
        raise UsageError(f"--include-path {path}: no <folder>/task.py in it")
    yield from found


def _all(include_paths: tuple[str, ...]) -> Iterator[tuple[str, Task]]:
    for file, module_name in _folders(include_paths):
        yield from _tasks_of(module_name, str(file))
    for origin, tasks in _installed(ENTRY_POINT_GROUP):
        yield from _checked(tasks, origin)


def _benchmarks(include_paths: tuple[str, ...]) -> Iterator[tuple[str, Benchmark]]:
    for file, module_name in _folders(include_paths):
        found = getattr(_imported(module_name, str(file)), "BENCHMARK", None)
        if found is not None:
            yield str(file), guarded_benchmark(found, str(file))
    yield from ((origin, guarded_benchmark(found, origin)) for origin, found in _installed(BENCHMARK_GROUP))


def _installed(group: str) -> Iterator[tuple[str, object]]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=group):
        origin = f"entry point {entry.name} = {entry.value}"
        try:
            found = entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise UsageError(f"{origin} cannot be loaded: {error!r}; uninstall or mend that package") from error
        yield origin, found


def _imported(module_name: str, origin: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() included
        raise UsageError(f"{origin} cannot be loaded: {error!r}") from error


def _tasks_of(module_name: str, origin: str) -> Iterator[tuple[str, Task]]:
    yield from _checked(getattr(_imported(module_name, origin), "TASKS", None), origin)


def _checked(tasks: object, origin: str) -> Iterator[tuple[str, Task]]:
    if not isinstance(tasks, tuple) or not all(isinstance(task, Task) for task in tasks):
        raise UsageError(f"{origin} must end in TASKS = (...), a tuple of evalsuite.task.Task")
    yield from ((origin, guarded(task, origin)) for task in tasks)


@cache
def _package(name: str, folder: Path) -> str:
    """A parent package. Its sub-packages are the plug-in folders, imported in the ordinary way."""
    parent = ModuleType(name)
    parent.__path__ = [str(folder)]
    sys.modules[name] = parent
    return name
