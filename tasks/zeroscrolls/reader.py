"""Reads ZeroSCROLLS' official JSON Lines: a ready-made prompt a line, its parts given by character offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from evalsuite import task
from evalsuite.task import File, Samples, Selection, Source
from evalsuite.types import Document, Sample

from .official import attributes_of
from .request import INDEX_FIELDS, Row
from .scoring import fault
from .sets import Set

INNER = "inner_docs_start_indices"


@dataclass(slots=True)
class Example:
    """The rows of one id: one question, a reference each."""

    row: Row
    question: str
    inner_documents: int
    document: Document
    references: list[str] = field(default_factory=list)


def reader(one: Set) -> Samples:
    """Return the function that reads a split of a set."""

    def samples(selection: Selection) -> Iterator[Sample]:
        examples = _merged(one, _file(one, selection.source, selection.split).records())
        _tell(one, selection.source, selection.split, examples)
        by_document: dict[str, list[Sample]] = {}
        for name, example in examples.items():
            by_document.setdefault(example.document.id, []).append(_sample(name, example))
        for group in by_document.values():
            yield from group

    return samples


def official_row(record: task.Row) -> Row:
    """Return the prompt of a row and its indices, checked: a wrong one would cut in silence.

    Raises:
        UsageError: a field is missing, of the wrong kind, outside `input`, or before the one it follows.
    """
    text, last = record.text("input"), 0
    indices = []
    for name in INDEX_FIELDS:
        value = record.whole(name)
        if not last <= value <= len(text):
            raise record.error(name, f"is {value}; it must lie between {last} and the input's end, {len(text)}")
        indices.append(value)
        last = value
    start, end, query, query_end = indices
    return Row(text, start, end, query, query_end, record.text("truncation_seperator"))


def _file(one: Set, source: Source, split: str) -> File:
    """The set's file; another publisher's of the same name (QMSum's own `qmsum/test.jsonl`) is not taken for it."""
    found = [file for file in source.find(f"{one.config}/{split}.jsonl") if _is_official(file)]
    return found[0] if found else source.need(f"{one.config}.zip::{one.config}/{split}.jsonl")[0]


def _is_official(file: File) -> bool:
    first = next(iter(file.records()), None)
    return first is None or not {"input", *INDEX_FIELDS}.isdisjoint(first.names())


def _merged(one: Set, records: Iterable[task.Row]) -> dict[str, Example]:
    """Rows of one id made one example: they differ in their reference only."""
    examples: dict[str, Example] = {}
    documents: dict[str, Document] = {}
    for record in records:
        name, row = record.identifier("id"), official_row(record)
        example = examples.setdefault(name, _example(one, record, row, documents))
        if example.row.input != row.input:
            raise record.error("id", f"is {name!r} again, but with another input")
        example.references.extend(_references(one, record))
    return examples


def _example(one: Set, record: task.Row, row: Row, documents: dict[str, Document]) -> Example:
    text = row.input[row.document_start : row.document_end]
    name = f"{one.config}-{sha256(text.encode()).hexdigest()[:12]}"
    inner = record.get(INNER, [])
    if not isinstance(inner, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in inner):
        raise record.error(INNER, "must be a list of offsets")
    question = row.input[row.query_start : row.query_end] or row.input[: row.document_start].partition("\n\n")[0]
    return Example(row, question.strip(), len(inner), documents.setdefault(name, Document(name, text)))


def _references(one: Set, record: task.Row) -> tuple[str, ...]:
    """The row's reference; none where `output` is null or blank, as in a test split without labels."""
    if record.get("output") is None:
        return ()
    reference = record.text("output")
    if not reference.strip():
        return ()
    if problem := fault(one, reference):
        raise record.error("output", problem)
    return (reference,)


def _tell(one: Set, source: Source, split: str, examples: dict[str, Example]) -> None:
    if split == "validation":
        source.note(f"validation of {one.config} has {len(examples)} examples: too few to tell close models apart")
    elif len(examples) != one.test_examples:
        source.note(f"{split} of {one.config} has {len(examples)} examples here, officially {one.test_examples}")
    blind = sum(not example.references for example in examples.values())
    if blind:
        source.note(
            f"{blind} of {len(examples)} examples have no label (`output` is null): they are answered, "
            "for `evalsuite submission`, and counted as skipped, never as 0"
        )


def _sample(name: str, example: Example) -> Sample:
    attributes = {**attributes_of(example.row), "inner_documents": example.inner_documents}
    return Sample(name, example.document, example.question, tuple(example.references), attributes=attributes)
