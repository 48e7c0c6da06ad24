"""Reads answers by task and sample id: JSON Lines of (task, id, prediction), and the SCROLLS family's JSON objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.plugins import unknown
from evalsuite.runs.import_answers import Answer, TaskAnswers, joined
from evalsuite.scoring.join import IMPORTED
from evalsuite.sources.parse import decode, records
from evalsuite.sources.storage import Stored, read_whole
from evalsuite.task import Task

SCROLLS = "scrolls"


def read_plain(files: Sequence[Path], tasks: Mapping[str, Task], root: Path | None) -> Iterator[TaskAnswers]:
    """JSON Lines of ``{"task", "id", "prediction"}``, tasks in any order, read line by line.

    Raises:
        UsageError: a task or id that is not known, an id answered twice, a field missing or null.
    """
    by_task: dict[str, list[Answer]] = {}
    for path in files:
        for row in records(Stored(path), path.name.removesuffix(".gz")):
            name = row.text("task")
            if name not in tasks:
                raise UsageError(f"{row.where}: {unknown('task', name, tasks)}")
            by_task.setdefault(name, []).append(Answer(row.text("id"), row.text("prediction"), row.where))
    for name, answers in by_task.items():
        yield joined(tasks[name], answers, root)


def read_scrolls(
    suite: str, files: Iterable[Path], tasks: Mapping[str, Task], root: Path | None
) -> Iterator[TaskAnswers]:
    """One JSON object ``{id: prediction}`` a task, the file named after it: ``qasper.json``.

    Raises:
        UsageError: a file named after no task, two of one task, a prediction that is no text, an unknown or doubled id.
    """
    seen: dict[str, Path] = {}
    for path in files:
        task = _task_of(path, suite, tasks)
        if task.name in seen:
            raise UsageError(f"{path}: {seen[task.name]} answers {task.name} already; give one file a task")
        seen[task.name] = path
        named = suite if any(protocol.name == suite for protocol in task.protocols) else IMPORTED
        yield joined(task, _answers(path), root, named)


def _task_of(path: Path, suite: str, tasks: Mapping[str, Task]) -> Task:
    """The task a file is named after; SCROLLS writes some with an underscore that ours lack."""
    stem = path.name.split(".")[0]
    candidates = [f"{suite}_{stem}", *((stem, stem.replace("_", "")) if suite == SCROLLS else (stem,))]
    for name in candidates:
        if name in tasks and (suite == SCROLLS or tasks[name].suite == suite):
            return tasks[name]
    here = [task.name for task in tasks.values() if suite in (task.suite, SCROLLS)]
    raise UsageError(f"{path}: name the file after its task, as in qasper.json; {unknown('task', stem, here)}")


def _answers(path: Path) -> Iterator[Answer]:
    with Stored(path).open() as stream:
        text = decode(read_whole(stream, str(path)), str(path))
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: not valid JSON ({error.msg}, column {error.colno})") from error
    if not isinstance(pairs, tuple):
        raise UsageError(f"{path}: must be one JSON object of ids and predictions, not a {type(pairs).__name__}")
    for name, prediction in pairs:
        yield Answer(name, _text(prediction, f"{path}: id {name!r}"), f"{path}: id {name!r}")


def _text(prediction: Any, where: str) -> str:
    if not isinstance(prediction, str):
        found = "null" if prediction is None else f"a {type(prediction).__name__}"
        raise UsageError(f"{where}: the prediction is {found}, not a text; leave the id out where there is no answer")
    return prediction
