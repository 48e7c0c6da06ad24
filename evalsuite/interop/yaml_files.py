"""Writes the YAML file by which lm-eval finds each of our tasks: ``python -m evalsuite.interop.yaml_files``.

``python -m evalsuite.interop.yaml_files DIR`` does so for the tasks of ``--include-path DIR``, below ``DIR/lm_eval``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from evalsuite.plugins import built_in_folder, find_tasks
from evalsuite.task import Task

PREFIX = "evalsuite_"
"""Before our names, for lm-eval has tasks of the same ones."""
_ADAPTER = "!function evalsuite.interop.adapter.EvalsuiteTask"


def yaml_of(task: Task) -> str:
    """The three lines of one task."""
    return f"task: {PREFIX}{task.name}\nclass: {_ADAPTER}\nmetadata: {{version: {task.version}}}\n"


def write_all(include_path: Path | None = None) -> Path:
    """Writes the files of all built-in tasks, or of those in a folder, and removes those of tasks that are gone.

    Returns:
        The folder they are in.
    """
    built_in = find_tasks()
    tasks = built_in
    if include_path is not None:
        tasks = {name: task for name, task in find_tasks([str(include_path)]).items() if name not in built_in}
    folder = (include_path or built_in_folder()) / "lm_eval"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.yaml"):
        if _ADAPTER in old.read_text(encoding="utf-8"):
            old.unlink()
    for task in tasks.values():
        (folder / f"{task.name}.yaml").write_text(yaml_of(task), encoding="utf-8")
    return folder


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
