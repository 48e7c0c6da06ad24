"""Reads L-Eval's prediction files: ``query``, ``gt``, ``<model>_pred`` and ``evaluation`` a line, one file a set.

The evaluator chooses its rules by the file's name; here ``<set>.pred.jsonl`` must name the set. The questions and golds
are the file's own. Where the data is there too, each line must be a question of it with the same gold answer, so that
errors can be clustered by document; a set of questions altogether other than the data's is scored by itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.benchmark import Predictions, TaskAnswers
from evalsuite.errors import MissingDataError, UsageError, unknown
from evalsuite.metrics.leval import SCORED_TWICE
from evalsuite.sources import open_source
from evalsuite.sources.parse import records
from evalsuite.sources.row import Record
from evalsuite.sources.storage import Stored
from evalsuite.task import Selection, Task
from evalsuite.types import Document, Sample

from .reader import JUDGED, ask, fault
from .scoring import split_answer
from .sets import BY_NAME, Set

SUFFIX = "_pred"
POSITIONS = 3
"""Topic retrieval asks for the first, second and third topic of every document in turn."""


@dataclass(frozen=True, slots=True)
class Line:
    """One question of a prediction file and its answer."""

    row: Record
    query: str
    gold: str
    text: str


@dataclass(frozen=True, slots=True)
class _Data:
    """A set's questions as published; each the one sample, or sci_fi's two, that ask it."""

    questions: tuple[tuple[Sample, ...], ...]
    used: tuple[Any, ...]


def read_leval(files: Sequence[Path], tasks: Mapping[str, Task], root: Path | None) -> Iterator[TaskAnswers]:
    """The answers of every file.

    Raises:
        UsageError: a file named after no set, two of one set, a line that misses a field, repeats a question or is
            none of the data's, or a faulty gold answer.
    """
    seen: dict[str, Path] = {}
    for path in files:
        name = path.name.split(".")[0]
        if name not in BY_NAME or f"leval_{name}" not in tasks:
            raise UsageError(
                f"{path}: name the file after its set, as in tpo.pred.jsonl; {unknown('set', name, BY_NAME)}"
            )
        if name in seen:
            raise UsageError(f"{path}: {seen[name]} answers {name} already; give one file a set")
        seen[name] = path
        yield _answers(path, BY_NAME[name], tasks[f"leval_{name}"], root)


def model_of(files: Sequence[Path]) -> str:
    """The model that the files' first lines name.

    Raises:
        UsageError: they name several, or one has no ``<model>_pred``.
    """
    names = {path: _key(next(_records(path), None), path).removesuffix(SUFFIX) for path in files}
    if len(set(names.values())) > 1:
        listed = ", ".join(sorted(set(names.values())))
        raise UsageError(f"the files hold predictions of several models ({listed}); import one model at a time")
    return next(iter(names.values()))


def _answers(path: Path, one: Set, task: Task, root: Path | None) -> TaskAnswers:
    lines, notices = _lines(path, one)
    data = _published(task, root, 2 if one.name == SCORED_TWICE else 1)
    matched = None if data is None else _matched(lines, data.questions)
    if data is None or matched is None:
        why = "the data is not there" if data is None else "they are not those of the data at hand"
        own = tuple(_own(one, line, number) for number, line in enumerate(lines))
        notice = f"questions and golds are those of {path.name} ({why}): every line counts as a document of its own"
        short = f"{len(lines)} questions, {one.questions} are published" if len(lines) != one.questions else ""
        texts = _texts(zip(own, lines, strict=True))
        return TaskAnswers(task, sum(own, ()), texts, notices=(*notices, notice, *filter(None, (short,))))
    texts = _texts(zip((data.questions[at] for at in matched), lines, strict=True))
    return TaskAnswers(task, sum(data.questions, ()), texts, notices=notices, data=data.used)


def _lines(path: Path, one: Set) -> tuple[list[Line], tuple[str, ...]]:
    """The lines scored automatically, and what is said of the others."""
    found, judged, key = list[Line](), Counter[str](), ""
    for row in _records(path):
        key = key or _key(row, path)
        evaluation = row.text("evaluation")
        if evaluation in JUDGED:
            judged[evaluation] += 1
        elif evaluation != one.metric:
            raise row.error("evaluation", f"is {evaluation!r}; {one.name} is scored by {one.metric!r}")
        else:
            found.append(Line(row, row.text("query"), row.text("gt"), row.text(key)))
    if not found:
        raise UsageError(f"{path}: no line to score: none has the evaluation {one.metric!r}")
    return found, tuple(f"{count} predictions for {kind} judges are left out" for kind, count in judged.items())


def _published(task: Task, root: Path | None, samples_a_question: int) -> _Data | None:
    """The set's data, None where there is none; the hub is not asked for documents that no score needs."""
    if root is None and not os.environ.get("EVALSUITE_DATA"):
        return None
    source = open_source(task.dataset, root, split=task.split, task=task.name)
    try:
        samples = list(task.samples(Selection(source, task.split)))
    except MissingDataError:
        return None
    starts = range(0, len(samples), samples_a_question)
    return _Data(tuple(tuple(samples[at : at + samples_a_question]) for at in starts), source.used)


def _matched(lines: Sequence[Line], questions: Sequence[tuple[Sample, ...]]) -> list[int] | None:
    """Which question each line answers; None when no line's question is among them."""
    taken: dict[int, None] = {}
    strange: list[Line] = []
    for line in lines:
        last = next(reversed(taken), -1)
        order = (*range(last + 1, len(questions)), *range(last))
        at = next((at for at in order if at not in taken and _same(line, questions[at][0])), None)
        if at is not None:
            taken[at] = None
        else:
            strange.append(line)
    if strange and taken:
        raise _stranger(strange[0], questions)
    return list(taken) or None


def _same(line: Line, sample: Sample) -> bool:
    return line.gold == sample.references[0] and _asks(line, sample)


def _asks(line: Line, sample: Sample) -> bool:
    """Whether a line's query is a sample's question; the published gsm100 file has the shared examples in front."""
    return line.query.endswith(sample.question)


def _stranger(line: Line, questions: Sequence[tuple[Sample, ...]]) -> UsageError:
    asked = [question[0] for question in questions if _asks(line, question[0])]
    if any(line.gold == sample.references[0] for sample in asked):
        return line.row.error("query", f"{line.query[:60]!r} is answered a second time; keep one answer")
    if asked:
        return line.row.error("gt", f"is {line.gold[:40]!r}, the data says {asked[0].references[0][:40]!r}")
    return line.row.error("query", f"{line.query[:60]!r} is not a question of the data, though others are")


def _own(one: Set, line: Line, number: int) -> tuple[Sample, ...]:
    """The samples of a line without data."""
    if problem := fault(one, line.gold):
        raise line.row.error("gt", problem)
    name = f"line-{number}"
    return ask(one, name, Document(name, ""), line.query, line.gold, number % POSITIONS)


def _texts(answered: Iterator[tuple[tuple[Sample, ...], Line]]) -> dict[str, str]:
    """Answers by sample id; sci_fi's two are split as its evaluator splits them."""
    return {
        sample.id: split_answer(line.text)[sample.attributes["asked"]] if len(samples) > 1 else line.text
        for samples, line in answered
        for sample in samples
    }


def _records(path: Path) -> Iterator[Record]:
    return records(Stored(path), path.name.removesuffix(".gz"))


def _key(row: Record | None, path: Path) -> str:
    """The field that holds the predictions: the first whose name ends so."""
    if row is None:
        raise UsageError(f"{path}: the file is empty")
    for name in row.names():
        if name.endswith(SUFFIX):
            return name
    raise UsageError(f"{row.where}: no field '<model>{SUFFIX}' (the record has: {', '.join(row.names())})")


PREDICTIONS = Predictions(name="leval", read=read_leval, model=model_of)
