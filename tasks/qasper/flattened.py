"""Third-party extracts of Qasper: papers flattened into a CSV, and questions whose papers' text is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import groupby
from pathlib import PurePosixPath

from evalsuite.metrics.qasper import GoldAnswer
from evalsuite.task import File, Row, Source
from evalsuite.types import Json

from .paper import Asked, Paper

UNUSABLE = "Unacceptable"
"""What the CSV writes where it has no reference."""


def from_csv(file: File, source: Source) -> Iterator[Paper]:
    """Columns paper, questions, answers; the latter two are Python lists in writing."""
    source.note(f"{file.name} is a third-party copy that does not state its split; one reference a question")
    stem = PurePosixPath(file.name).stem
    for number, row in enumerate(file.records()):
        name = f"{stem}-{number}"
        questions, found = _strings(row, "questions"), _strings(row, "answers")
        if len(questions) != len(found):
            raise row.error("answers", f"has {len(found)} items for {len(questions)} questions")
        pairs = enumerate(zip(questions, found, strict=True))
        asked = [Asked(f"{name}/{index}", question, _gold(answer)) for index, (question, answer) in pairs]
        text = row.optional_text("paper") or ""
        yield Paper(name, text if text.strip() else "", asked)


def from_question_list(file: File, source: Source) -> Iterator[Paper]:
    """A list of papers by title with questions and answers, without text."""
    _without_text(file, source)
    for row in file.records():
        name = f"train-{row.whole('paper_index')}"
        asked = [
            Asked(f"{name}/{index}", question.text("question"), _listed(question))
            for index, question in enumerate(row.rows("qas"))
        ]
        yield Paper(name, "", asked)


def from_question_dict(file: File, source: Source) -> Iterator[Paper]:
    """Questions by id with their paper's id and extractive answers, without text."""
    _without_text(file, source)
    whole = file.json()
    rows = sorted(
        ((whole.row(name), name) for name in whole.names()), key=lambda pair: pair[0].identifier("article_id")
    )
    for paper, group in groupby(rows, key=lambda pair: pair[0].identifier("article_id")):
        yield Paper(paper, "", [Asked(name, row.text("text"), _spans(row)) for row, name in group])


def _without_text(file: File, source: Source) -> None:
    source.note(
        f"{file.name} holds questions without the papers' text: none of them can be asked; "
        "get the official qasper-*-v0.3.json for the text"
    )


def _strings(row: Row, name: str) -> list[str]:
    text = row.text(name)
    if not text.startswith("["):
        raise row.error(name, "must be a Python list of strings")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise row.error(name, "must be a Python list of strings") from error
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise row.error(name, "must be a Python list of strings")
    return [row.clean(name, item) for item in value]


def _gold(answer: str) -> list[GoldAnswer]:
    """The CSV says neither type nor evidence; the official words for the special answers tell the type."""
    if answer == UNUSABLE or not answer.strip():
        return []
    kind = {"Unanswerable": "none", "Yes": "boolean", "No": "boolean"}.get(answer, "abstractive")
    return [GoldAnswer(answer, kind, ())]


def _spans(row: Row) -> list[GoldAnswer]:
    spans = row.texts("extractive_spans")
    return [GoldAnswer(", ".join(spans), "extractive", tuple(row.texts("evidence")))] if spans else []


def _listed(question: Row) -> list[GoldAnswer]:
    evidence = tuple(question.texts("evidence"))
    given = question.get("answer", [])
    if not isinstance(given, list):
        raise question.error("answer", "must be a list of answers")
    return [_typed(question, answer, evidence) for answer in given]


def _typed(question: Row, answer: Json, evidence: tuple[str, ...]) -> GoldAnswer:
    """A list holds spans, true and false are yes and no, text is free."""
    if isinstance(answer, bool):
        return GoldAnswer("Yes" if answer else "No", "boolean", evidence)
    if isinstance(answer, list) and all(isinstance(span, str) for span in answer):
        return GoldAnswer(question.clean("answer", ", ".join(answer)), "extractive", evidence)
    if isinstance(answer, str):
        return GoldAnswer(question.clean("answer", answer), "abstractive", evidence)
    raise question.error("answer", "must hold text, lists of spans, true or false")
