"""Reads answers by task and sample id: JSON Lines of (task, id, prediction), and the SCROLLS family's JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from evalsuite.benchmark import Predictions, TaskAnswers
from evalsuite.errors import UsageError, unknown
from evalsuite.plugins import find_benchmarks
from evalsuite.predictions.joined import Answer, joined
from evalsuite.records import IMPORTED
from evalsuite.sources.parse import decode, load_json, records
from evalsuite.sources.storage import Stored, read_whole
from evalsuite.task import Task

SCROLLS = "scrolls"
"""The format of the SCROLLS leaderboard. Its sets are tasks of several benchmarks."""


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
    """JSON ``{id: prediction}`` in a file named after its task, ``{task: {id: prediction}}``, or a submission's CSV.

    Raises:
        UsageError: a task or id that is not known, an id answered twice, a prediction that is no text.
    """
    by_task: dict[str, list[Answer]] = {}
    for path in files:
        for name, answer in _submitted(path) if ".csv" in path.suffixes else _objects(path):
            by_task.setdefault(_task(name, suite, tasks, answer.where).name, []).append(answer)
    for name, answers in by_task.items():
        task = tasks[name]
        protocol = suite if any(protocol.name == suite for protocol in task.protocols) else IMPORTED
        yield joined(task, answers, root, protocol)


def _task(name: str, suite: str, tasks: Mapping[str, Task], where: str) -> Task:
    """The task of a name as the benchmark has it; SCROLLS writes some with an underscore that ours lack."""
    if suite == SCROLLS:
        candidates, known = (name, name.replace("_", "")), tasks
    else:
        candidates, known = (f"{suite}_{name}", name), {n: task for n, task in tasks.items() if task.suite == suite}
    for candidate in candidates:
        if candidate in known:
            return known[candidate]
    advice = "name the file after its task, as in qasper.json, or the predictions by task"
    raise UsageError(f"{where}: {unknown('task', name, known)}; {advice}")


def _submitted(path: Path) -> Iterator[tuple[str, Answer]]:
    """Rows of ``Task,ID,Prediction``."""
    for row in records(Stored(path), path.name.removesuffix(".gz")):
        yield row.text("Task"), Answer(row.text("ID"), row.text("Prediction"), row.where)


def _objects(path: Path) -> Iterator[tuple[str, Answer]]:
    for name, value in _pairs(path):
        if isinstance(value, tuple):
            yield from ((name, _answer(key, text, f"{path}: {name}")) for key, text in value)
        else:
            yield path.name.split(".")[0], _answer(name, value, str(path))


def _pairs(path: Path) -> tuple[tuple[str, Any], ...]:
    """The names and values of a file that is one JSON object. A repeated name is repeated here, too."""
    with Stored(path).open() as stream:
        text = decode(read_whole(stream, str(path)), str(path))
    pairs = load_json(text, str(path), 1, object_pairs_hook=tuple)
    if not isinstance(pairs, tuple):
        raise UsageError(f"{path}: must be one JSON object of ids and predictions, not a {type(pairs).__name__}")
    return pairs


def _answer(name: str, prediction: Any, where: str) -> Answer:
    if not isinstance(prediction, str):
        found = "null" if prediction is None else f"a {type(prediction).__name__}"
        raise UsageError(
            f"{where}: the prediction of {name!r} is {found}, not a text; leave the id out where there is no answer"
        )
    return Answer(name, prediction, where)


def formats(include_paths: Sequence[str] = ()) -> Mapping[str, Predictions]:
    """The formats that can be read, by name: first the general ones, then those of benchmarks.

    Args:
        include_paths: folders of plug-in folders, or single plug-in folders.

    Raises:
        UsageError: two have one name, or a plug-in cannot be loaded.
    """
    found = {one.name: one for one in FORMATS}
    for origin, benchmark in find_benchmarks(include_paths).items():
        for one in benchmark.predictions:
            if one.name in found:
                raise UsageError(f"{origin}: there is a prediction format {one.name!r} already; rename it")
            found[one.name] = one
    return found


FORMATS = (
    Predictions(name=SCROLLS, read=partial(read_scrolls, SCROLLS)),
    Predictions(name="plain", read=read_plain),
)
"""Formats that belong to no single benchmark."""
