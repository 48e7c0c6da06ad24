"""Reads L-Eval's published JSON Lines: a document, its instructions and their gold answers a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from evalsuite.metrics import leval_corrected
from evalsuite.metrics.leval import SCORED_TWICE
from evalsuite.task import Row, Samples, Selection, Source
from evalsuite.types import Document, Sample

from .sets import Set

JUDGED = ("LLM", "human")
"""Values of `evaluation` whose rows are left to judges; they ask about documents of the other rows again."""

LOYALTY, FACT = "loyalty", "fact"
HUB_FOLDERS = {"closed": "Exam", "open": "Generation"}
"""Folders of the hub's repository, below `LEval/`."""


def reader(one: Set) -> Samples:
    """Return the function that reads a set's only split."""

    def samples(selection: Selection) -> Iterator[Sample]:
        source = selection.source
        name = f"{one.name}.jsonl"
        patterns = (f"{one.folder}/{name}", f"LEval/{HUB_FOLDERS[one.kind]}/{name}", name)
        found = next((files for pattern in patterns if (files := source.find(pattern))), None)
        files = found or source.need(*patterns[:1])
        yield from _samples(one, source, list(files[0].records()))

    return samples


def ask(one: Set, name: str, document: Document, question: str, reference: str, position: int) -> tuple[Sample, ...]:
    """Return the sample of one question; for sci_fi the two that its scripts ask of the model.

    Args:
        one: the set.
        name: the sample's id.
        document: what is asked about.
        question: the instruction as the data has it.
        reference: its gold answer, raw.
        position: its place among the document's questions; topic retrieval is reported by it.
    """
    if one.name == SCORED_TWICE:
        return tuple(
            Sample(f"{name}-{asked}", document, question, (reference,), attributes={"asked": asked})
            for asked in (LOYALTY, FACT)
        )
    return (Sample(name, document, question, (reference,), attributes={"position": position}),)


def fault(one: Set, reference: str) -> str | None:
    """Say what is wrong with a gold answer, None when nothing is: the official code would guess A or raise."""
    if one.metric == "exam":
        if any(score.value is None for score in leval_corrected.exam(one.name, "", reference)):
            return f"is {reference[:40]!r}, in which there is no {one.paper_name} answer"
    elif not reference.strip():
        return "is blank"
    return None


def _samples(one: Set, source: Source, rows: Sequence[Row]) -> Iterator[Sample]:
    asked = _automatic(one, source, rows)
    former = Document("", "")
    for number, row in asked:
        text = row.text("input")
        # gsm100 repeats one text in every row: that is one document
        former = former if former.id and former.text == text else Document(str(number), text)
        yield from _asked(one, row, number, former)


def _automatic(one: Set, source: Source, rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """The rows without a judge and their numbers; the others are told before the first sample is asked for."""
    judged, kept = Counter[str](), list[tuple[int, Row]]()
    for number, row in enumerate(rows):
        evaluation = row.text("evaluation")
        if evaluation in JUDGED:
            judged[evaluation] += len(row.texts("instructions"))
        elif evaluation == one.metric:
            kept.append((number, row))
        else:
            known = ", ".join((one.metric, *JUDGED))
            raise row.error("evaluation", f"is {evaluation!r}, in {one.name} it must be one of: {known}")
    for evaluation, count in judged.items():
        source.note(f"questions for {evaluation} judges, which have no automatic score, are not asked: {count}")
    return kept


def _asked(one: Set, row: Row, number: int, document: Document) -> Iterator[Sample]:
    questions, references = row.texts("instructions"), row.texts("outputs")
    if len(questions) != len(references):
        raise row.error("outputs", f"has {len(references)} answers to {len(questions)} instructions")
    for position, (question, reference) in enumerate(zip(questions, references, strict=True)):
        if problem := fault(one, reference):
            raise row.error(f"outputs[{position}]", problem)
        yield from ask(one, f"{number}-{position}", document, question, reference, position)
