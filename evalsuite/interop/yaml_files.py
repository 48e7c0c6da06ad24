"""Writes the YAML file by which lm-eval finds each of our tasks: ``python -m evalsuite.interop.yaml_files``.

They lie in the folder ``lm_eval`` of each benchmark's own folder. ``python -m evalsuite.interop.yaml_files DIR`` writes
those of the folders of ``--include-path DIR``.
"""

from __future__ import annotations

import sys

from evalsuite.plugins import tasks_by_folder
from evalsuite.task import Task

PREFIX = "evalsuite_"
"""Before our names, for lm-eval has tasks of the same ones."""
FOLDER = "lm_eval"
_ADAPTER = "!function evalsuite.interop.adapter.EvalsuiteTask"


def yaml_of(task: Task) -> str:
    """The three lines of one task."""
    return f"task: {PREFIX}{task.name}\nclass: {_ADAPTER}\nmetadata: {{version: {task.version}}}\n"


def write_all(include_path: str | None = None) -> None:
    """Writes the files of the built-in tasks, or of an include path's, and removes those of tasks that are gone."""
    for folder, tasks in tasks_by_folder(include_path).items():
        (folder / FOLDER).mkdir(exist_ok=True)
        for old in (folder / FOLDER).glob("*.yaml"):
            if _ADAPTER in old.read_text(encoding="utf-8"):
                old.unlink()
        for task in tasks:
            (folder / FOLDER / f"{task.name}.yaml").write_text(yaml_of(task), encoding="utf-8")


if __name__ == "__main__":
    write_all(sys.argv[1] if len(sys.argv) > 1 else None)
