"""Checks samples before a model is asked: kinds of fields, ids, and texts that can be written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain

from evalsuite.checked.shown import shown
from evalsuite.errors import UsageError
from evalsuite.types import Document, Json, Sample, Span

MOST_DEPTH = 50
"""Largest depth of lists in ``attributes``."""
MOST_BITS = 64
"""JSON cannot store larger whole numbers exactly."""


class SampleCheck:
    """Checks the samples of one task and split as they come."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._samples: set[str] = set()
        self._documents: dict[str, tuple[str, str]] = {}
        self._last: Document | None = None

    def check(self, sample: Sample) -> None:
        """Refuses a sample that could not be asked, stored or scored.

        Raises:
            UsageError: the first thing wrong with it; the message names task and sample.
        """
        problem = next(chain(self._sample(sample), self._document(sample)), None)
        if problem is not None:
            raise UsageError(f"task {self._task}, sample {shown(sample.id, 80)}: {problem}")

    def _sample(self, sample: Sample) -> Iterator[str]:
        yield from id_problems("its id", sample.id)
        if sample.id in self._samples:
            yield f"two samples are called {sample.id!r}; ids must be unique"
        self._samples.add(sample.id)
        yield from field_problems(sample)

    def _document(self, sample: Sample) -> Iterator[str]:
        """Problems of its document. A document is checked once if its samples share it."""
        document = sample.document
        if document is self._last:
            return
        yield from document_problems(document)
        other, name = self._documents.setdefault(document.id, (document.hash, sample.id))
        if other != document.hash:
            yield (
                f"its document {document.id!r} has another text than that of sample {name!r}; documents group "
                "questions and their errors: give each its own id"
            )
        self._last = document


def id_problems(what: str, value: object) -> Iterator[str]:
    """What is wrong with an id."""
    yield from text_problems(what, value)
    if isinstance(value, str) and not value.strip():
        yield f"{what} is empty"


def text_problems(what: str, value: object) -> Iterator[str]:
    """What is wrong with a text."""
    if not isinstance(value, str):
        yield f"{what} is {shown(value)}, not a text"
    elif "\0" in value:
        yield f"{what} holds NUL bytes; the data file is damaged, get it again"
    elif not is_writable(value):
        yield f"{what} holds half of a surrogate pair, which is no text; mend the data"


def is_writable(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def document_problems(document: Document) -> Iterator[str]:
    """What is wrong with a document."""
    yield from id_problems("its document's id", document.id)
    yield from text_problems("its document's text", document.text)
    if document.length is not None and not _is_index(document.length, 0, 1 << MOST_BITS):
        yield f"its document's length is {shown(document.length)}, not a whole number"


def field_problems(sample: Sample) -> Iterator[str]:
    """What is wrong with the fields that belong to one sample alone."""
    if not isinstance(sample.document, Document):
        yield "its document is no evalsuite.types.Document"
        return
    yield from text_problems("its question", sample.question)
    yield from _texts("references", sample.references)
    yield from _texts("choices", sample.choices)
    if sample.gold is not None and not _is_index(sample.gold, 0, len(sample.choices)):
        yield f"its gold is {shown(sample.gold)}, not the index of one of its {len(sample.choices)} choices"
    yield from _evidence(sample)
    if isinstance(sample.attributes, Mapping):
        yield from json_problems("attributes", dict(sample.attributes))
    else:
        yield "its attributes are no mapping"


def _texts(name: str, values: object) -> Iterator[str]:
    if not isinstance(values, tuple):
        yield f"its {name} are {shown(values)}, not a tuple of texts"
        return
    for number, value in enumerate(values):
        yield from text_problems(f"{name}[{number}]", value)


def _evidence(sample: Sample) -> Iterator[str]:
    if sample.evidence is None:
        return
    if not isinstance(sample.evidence, tuple) or not all(isinstance(span, Span) for span in sample.evidence):
        yield f"its evidence is {shown(sample.evidence)}, not a tuple of spans"
        return
    end = len(sample.document.text) if isinstance(sample.document.text, str) else 0
    for span in sample.evidence:
        if not (_is_index(span.end, 0, end + 1) and _is_index(span.start, 0, span.end + 1)):
            stretch = f"from {shown(span.start, 20)} to {shown(span.end, 20)}"
            yield f"its evidence {stretch} is not within its document of {end} characters"


def json_problems(where: str, value: Json, depth: int = 0) -> Iterator[str]:
    """The part of a value that JSON cannot store exactly."""
    if depth > MOST_DEPTH:
        yield f"{where[:60]} is nested deeper than {MOST_DEPTH} levels"
    elif type(value) is dict:
        for name, item in value.items():
            yield from text_problems(f"a name in {where}", name)
            yield from json_problems(f"{where}[{shown(name)}]", item, depth + 1)
    elif type(value) is list:
        for number, item in enumerate(value):
            yield from json_problems(f"{where}[{number}]", item, depth + 1)
    elif isinstance(value, str):
        yield from text_problems(where, value)
    elif not (value is None or isinstance(value, bool) or _is_number(value)):
        yield f"{where} is {shown(value)}, which JSON cannot hold as it is"


def _is_number(value: object) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is int and value.bit_length() < MOST_BITS


def _is_index(value: object, least: int, end: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < end
