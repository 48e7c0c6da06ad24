"""The rooms' order is in pyproject.toml ([tool.importlinter]); tasks/, loaded by path, is read here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLUG_IN_FILES = sorted((ROOT / "tasks").rglob("*.py"))

OPEN_TO_TASKS = {"benchmark", "errors", "interfaces", "metrics", "predictions", "qa", "sources", "task", "types"}
"""Rooms a benchmark's folder may import: what a task is made of, nothing that runs one."""
BRIDGE = {("lm_eval_task.py", "interop")}
"""The one file through which lm-eval sees our tasks, and what it needs."""


def test_every_room_imports_only_rooms_below_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


each_file = pytest.mark.parametrize("file", PLUG_IN_FILES, ids=lambda file: file.relative_to(ROOT).as_posix())


@each_file
def test_a_task_sees_only_what_tasks_are_made_of(file: Path) -> None:
    seen = {name.split(".")[1] for name in _imported(file) if name.startswith("evalsuite.")}
    allowed = OPEN_TO_TASKS | {room for name, room in BRIDGE if name == file.name}

    assert seen <= allowed, f"{file} imports {sorted(seen - allowed)}"


@each_file
def test_a_task_imports_no_other_task(file: Path) -> None:
    depth = len(file.relative_to(ROOT / "tasks").parents) - 1

    above = [node.level for node in ast.walk(_tree(file)) if isinstance(node, ast.ImportFrom) and node.level > depth]
    by_name = [name for name in _imported(file) if name.startswith(("tasks", "evalsuite.tasks"))]

    assert not above
    assert not by_name


@each_file
def test_a_task_loads_no_model_package(file: Path) -> None:
    roots = {name.split(".")[0] for name in _imported(file)}

    assert not roots & {"torch", "transformers", "vllm", "lm_eval", "ray", "datasets", "pandas"}


def test_one_place_asks_an_engine() -> None:
    """Runs, and the judges, probes and workers to come: whoever asks a model goes through the same checked door."""
    asking = [
        file.relative_to(ROOT).as_posix()
        for file in sorted((ROOT / "evalsuite").rglob("*.py"))
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "complete"
        and isinstance(node.func.value, ast.Name)
    ]

    assert asking == ["evalsuite/engines/checked.py"]


NAMED = ("metrics", "demo")
"""Rooms that speak of data sets by name: official scorers have tables of them, the demo asks some tasks."""
ROOMS = [file for file in sorted((ROOT / "evalsuite").rglob("*.py")) if file.parts[len(ROOT.parts) + 1] not in NAMED]


def test_no_room_reaches_into_a_benchmark_s_folder_by_name() -> None:
    """What the package needs of a folder stands in its TASKS and BENCHMARK."""
    folders = {file.parent.name for file in (ROOT / "tasks").glob("*/task.py")}
    reached = re.compile(rf"(?:.*\btasks[./])?(?:{'|'.join(folders)})(?:[./].*\.py)?", re.DOTALL)
    named = [f"{file.name}: {text}" for file in ROOMS for text in _texts(file) if reached.fullmatch(text)]
    used = [file.name for file in ROOMS if "evalsuite.plugins.module" in _imported(file)]

    assert (named, used) == ([], [])
    assert len(ROOMS) > 150


def _texts(file: Path) -> Iterator[str]:
    """A file's constant texts."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _imported(file: Path) -> Iterator[str]:
    """Absolute names a file imports, anywhere in it."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
