"""A Qasper paper as read, in whatever layout, and the samples it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from evalsuite.metrics.qasper import GoldAnswer, gold_answer
from evalsuite.task import Row, Source
from evalsuite.types import Document, Sample, Span


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and what the annotators answered."""

    id: str
    question: str
    answers: Sequence[GoldAnswer]


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper with its questions."""

    id: str
    text: str
    asked: Sequence[Asked]


def answers(annotations: Iterable[Row]) -> list[GoldAnswer]:
    """The answers of Qasper's own annotations, in the annotators' order; one without any answer is left out."""
    return [answer for annotation in annotations if (answer := _answer(annotation)) is not None]


def to_samples(papers: Sequence[Paper], source: Source) -> Iterator[Sample]:
    """A sample for every question with a usable reference; the others are counted in a note."""
    unusable = sum(not asked.answers for paper in papers for asked in paper.asked)
    if unusable:
        source.note(f"{unusable} questions have no usable reference and are not asked")
    seen = set[str]()
    for paper in papers:
        document = Document(paper.id, paper.text)
        for index, asked in enumerate(paper.asked):
            if asked.answers:
                # the official fixture repeats ids
                name = asked.id if asked.id not in seen else f"{asked.id}/{index}"
                seen.add(name)
                yield _sample(name, asked, document)


def _answer(row: Row) -> GoldAnswer | None:
    return gold_answer(
        {
            "unanswerable": row.optional_truth("unanswerable"),
            "extractive_spans": row.texts("extractive_spans"),
            "free_form_answer": row.optional_text("free_form_answer"),
            "yes_no": row.optional_truth("yes_no"),
            "evidence": row.texts("evidence"),
        }
    )


def _sample(name: str, asked: Asked, document: Document) -> Sample:
    return Sample(
        id=name,
        document=document,
        question=asked.question,
        references=tuple(answer.text for answer in asked.answers),
        evidence=_located(document.text, asked.answers),
        attributes={"answer_types": [answer.type for answer in asked.answers]},
    )


def _located(text: str, answers: Iterable[GoldAnswer]) -> tuple[Span, ...] | None:
    """Where the annotators' evidence paragraphs stand; figures and tables have no place in the text."""
    paragraphs = {paragraph for answer in answers for paragraph in answer.evidence if paragraph.strip()}
    starts = {paragraph: text.find(paragraph) for paragraph in paragraphs}
    spans = {Span(start, start + len(paragraph)) for paragraph, start in starts.items() if start >= 0}
    return tuple(sorted(spans, key=lambda span: (span.start, span.end))) or None
