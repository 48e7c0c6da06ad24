"""Joins answers of other programs strictly with their samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalsuite.benchmark import TaskAnswers
from evalsuite.errors import UsageError, unknown
from evalsuite.records import IMPORTED
from evalsuite.sources import open_source
from evalsuite.task import Selection, Task


@dataclass(frozen=True, slots=True)
class Answer:
    """One prediction of a file."""

    id: str
    """Id of the sample."""
    text: str
    where: str
    """File and line or key, for messages."""


def joined(task: Task, answers: Iterable[Answer], root: Path | None, protocol: str = IMPORTED) -> TaskAnswers:
    """The answers to a task's default split.

    Args:
        task: whose samples they answer.
        answers: in any order.
        root: the data folder; None as ``open_source`` has it.
        protocol: the protocol of the answers, if the format names it.

    Raises:
        UsageError: an id is not in the data, or has two answers; or the data is missing.
    """
    source = open_source(task.dataset, root, split=task.split, task=task.name)
    samples = tuple(task.samples(Selection(source, task.split)))
    known = {sample.id for sample in samples}
    texts: dict[str, str] = {}
    for answer in answers:
        if answer.id not in known:
            advice = unknown("id", answer.id, known)
            raise UsageError(f"{answer.where}: {advice} (ids of {task.name}, split {task.split})")
        if answer.id in texts:
            raise UsageError(f"{answer.where}: id {answer.id!r} of {task.name} is answered twice; keep one answer")
        texts[answer.id] = answer.text
    return TaskAnswers(task, samples, texts, protocol, source.notes, source.used)
