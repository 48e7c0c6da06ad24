"""A new benchmark is a folder of its own: with one more in tasks/ everything holds, and nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("evalsuite", "tasks", "docs", "tests", "pyproject.toml", "README.md")
NEW = ROOT / "tests" / "example_plugin" / "evalsuite_riddles"
RIDDLE = {"id": "r1", "text": "It has teeth and cannot bite.", "options": ["A comb", "A dog"], "right": 0}
HELD = (
    "tests/test_layers.py",
    "tests/test_architecture.py",
    "tests/fidelity/test_page.py",
    "tests/fidelity/test_declared.py",
    "tests/interop/test_adapter.py::test_lm_eval_lists_our_tasks_and_no_others",
    "tests/interop/test_adapter.py::test_every_yaml_is_what_its_task_makes_of_it_and_there_is_no_other",
)
"""Tests that hold what follows from the task folders."""


def _in(tree: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command of Python in a copy of the tree, as if that were the checkout; no golden data is at hand."""
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("EVALSUITE_GOLDEN", None)
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)


def _evalsuite(tree: Path, line: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return _in(tree, "-m", "evalsuite", *line.split(), *arguments)


def _files(tree: Path) -> dict[str, str]:
    return {
        path.relative_to(tree).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in tree.rglob("*")
        if path.is_file() and ".hypothesis" not in path.parts
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is in the checkout, with one more benchmark."""
    root = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        if (ROOT / name).is_dir():
            copytree(ROOT / name, root / name, ignore=ignore_patterns("__pycache__", "site", "_build"))
        else:
            (root / name).write_bytes((ROOT / name).read_bytes())
    copytree(NEW, root / "tasks" / "riddles", ignore=ignore_patterns("__init__.py", "engine.py", "__pycache__"))
    with (root / "tasks" / "riddles" / "task.py").open("a") as file:
        file.write("from .leaderboard import BENCHMARK\n")
    return root


@pytest.mark.slow
def test_with_one_more_folder_everything_holds_and_nothing_else_changes(tree: Path) -> None:
    before = _files(tree)

    written = _in(tree, "-m", "evalsuite.interop.yaml_files")
    held = _in(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", *HELD)

    assert written.returncode == 0, written.stderr
    assert held.returncode == 0, held.stdout[-3000:]
    after = _files(tree)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == {"tasks/riddles/lm_eval/riddles.yaml"}
    told = _evalsuite(tree, "fidelity tasks")
    assert "| riddles | `riddles` 1 | accuracy by a rule of its own | ours |" in told.stdout


def test_the_new_folder_is_listed_asked_and_its_formats_are_known(tree: Path, tmp_path: Path) -> None:
    data = tmp_path / "data" / "riddles" / "validation.jsonl"
    data.parent.mkdir(parents=True)
    data.write_text(json.dumps(RIDDLE) + "\n")
    (tmp_path / "mine.txt").write_text("r1: A comb\n")
    there = ("--data", tmp_path / "data", "--out")

    asked = _in(
        tree, "-m", "evalsuite", "run", "--model", "scripted:echo", "--tasks", "riddles", *there, tmp_path / "a"
    )
    read = _in(
        tree,
        "-m",
        "evalsuite",
        "score-predictions",
        tmp_path / "mine.txt",
        "--suite",
        "riddles",
        *there,
        tmp_path / "b",
    )
    sent = _in(tree, "-m", "evalsuite", "submission", tmp_path / "b", *there, tmp_path / "sent.txt")

    assert [done.returncode for done in (asked, read, sent)] == [0, 0, 0], asked.stderr + read.stderr + sent.stderr
    assert (tmp_path / "sent.txt").read_text() == "r1: A comb\n"
