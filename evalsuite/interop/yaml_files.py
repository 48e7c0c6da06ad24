"""Writes the YAML file by which lm-eval finds each of our tasks: ``python -m evalsuite.interop.yaml_files``."""

from __future__ import annotations

from evalsuite.plugins import built_in_folder, find_tasks
from evalsuite.task import Task

PREFIX = "evalsuite_"
"""Before our names, for lm-eval has tasks of the same ones."""


def yaml_of(task: Task) -> str:
    """The three lines of one task."""
    adapter = "!function evalsuite.interop.adapter.EvalsuiteTask"
    return f"task: {PREFIX}{task.name}\nclass: {adapter}\nmetadata: {{version: {task.version}}}\n"


def write_all() -> None:
    """Writes the files of all built-in tasks and removes those of tasks that are gone."""
    folder = built_in_folder() / "lm_eval"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.yaml"):
        old.unlink()
    for task in find_tasks().values():
        (folder / f"{task.name}.yaml").write_text(yaml_of(task))


if __name__ == "__main__":
    write_all()
