"""Reads NarrativeQA: the official CSV files, a flattening of them by question, or the hub's parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from evalsuite.task import File, Row, Selection, Source
from evalsuite.types import Document, Sample

from .story import cut

SETS = {"train": "train", "validation": "valid", "test": "test"}
"""Our names of the splits to NarrativeQA's."""
_FLAT = {"train": "train", "validation": "dev", "test": "test"}
_FLAT_NOTE = (
    "questions and summaries come from a third-party copy (summaries_qa): tokenised text, apostrophes lost, "
    "some characters broken; fetch qaps.csv and summaries.csv for the official text"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its two references."""

    question: str
    references: tuple[str, ...]


Asks = Mapping[str, list[Asked]]
"""Questions by document, in file order."""
Texts = Mapping[str, Callable[[], str]]
"""How to read the text of each document that is there."""


def stories(selection: Selection) -> Iterator[Sample]:
    """Every question about every document whose full story is present.

    Raises:
        UsageError: no file, or a malformed field.
    """
    if shards := _shards(selection.source, selection.split):
        yield from _hub(selection.source, shards, summary=False)
        return
    yield from _asked(selection.source, _questions(selection), _stories(selection.source), "story")


def summaries(selection: Selection) -> Iterator[Sample]:
    """Every question about every document, asked about its Wikipedia summary.

    Raises:
        UsageError: no file, or a malformed field.
    """
    if shards := _shards(selection.source, selection.split):
        yield from _hub(selection.source, shards, summary=True)
        return
    yield from _asked(selection.source, _questions(selection), _summaries(selection), "summary")


def _asked(source: Source, asks: Asks, texts: Texts, kind: str) -> Iterator[Sample]:
    missing = asks.keys() - texts.keys()
    if missing:
        source.note(f"{len(missing)} of {len(asks)} documents have no {kind} text and are not asked about")
    for name in (name for name in asks if name in texts):
        document = Document(name, texts[name]())
        for index, ask in enumerate(asks[name]):
            yield Sample(f"{name}/{index}", document, ask.question, ask.references)


def _questions(selection: Selection) -> Asks:
    """Questions by document, from qaps.csv, else from the flattening."""
    asks: dict[str, list[Asked]] = {}
    official = selection.source.find("qaps.csv")
    for row in official[0].records() if official else _flat(selection):
        if official and row.text("set") != SETS[selection.split]:
            continue
        name, asked = _official(row) if official else _flattened(row)
        asks.setdefault(name, []).append(asked)
    return asks


def _official(row: Row) -> tuple[str, Asked]:
    return row.identifier("document_id"), Asked(row.text("question"), (row.text("answer1"), row.text("answer2")))


def _flattened(row: Row) -> tuple[str, Asked]:
    return row.identifier("_id"), Asked(row.text("question.tokens"), tuple(row.some_texts("ground_truths")))


def _flat(selection: Selection) -> Iterator[Row]:
    source, name = selection.source, _FLAT[selection.split]
    file = source.find(f"summaries_qa/{name}.json") or source.need("qaps.csv")
    source.note(_FLAT_NOTE)
    return iter(file[0].records())


def _summaries(selection: Selection) -> Texts:
    official = selection.source.find("third_party/wikipedia/summaries.csv", "summaries.csv")
    if official:
        return {row.identifier("document_id"): partial(row.text, "summary") for row in official[0].records()}
    return {row.identifier("_id"): partial(row.text, "context.tokens") for row in _flat(selection)}


def _stories(source: Source) -> Texts:
    files = {PurePosixPath(file.name).stem: file for file in source.need("tmp/*.content", "stories/*.content")}
    ends = {row.identifier("document_id"): row for file in source.find("documents.csv") for row in file.records()}
    return {name: partial(_story, source, file, ends.get(name)) for name, file in files.items()}


def _story(source: Source, file: File, row: Row | None) -> str:
    text = file.read_text()
    if row is None:
        source.note(
            "documents.csv is missing or lacks some stories: those are used whole, their files' frames included"
        )
        return text
    return _between(source, file.name, text, (row.text("story_start"), row.text("story_end")))


def _between(source: Source, name: str, text: str, ends: tuple[str, str]) -> str:
    story = cut(text, *ends)
    if story is None:
        source.note(f"start or end of story {name} not found in its text: it is used whole")
    return text if story is None else story


def _shards(source: Source, split: str) -> Sequence[File]:
    return source.find(f"data/{split}-*.parquet", f"{split}-*.parquet", f"{split}/*.parquet")


def _hub(source: Source, shards: Sequence[File], *, summary: bool) -> Iterator[Sample]:
    """Rows carry the document with each question: it is kept once while its questions last."""
    document, asked = Document("", ""), 0
    for row in (row for shard in shards for row in shard.records()):
        carried = row.row("document")
        name = carried.identifier("id")
        if name != document.id:
            document, asked = Document(name, _carried(source, carried, summary=summary)), 0
        references = tuple(answer.text("text") for answer in row.rows("answers"))
        if not references:
            raise row.error("answers", "must hold at least one answer")
        yield Sample(f"{name}/{asked}", document, row.row("question").text("text"), references)
        asked += 1


def _carried(source: Source, document: Row, *, summary: bool) -> str:
    if summary:
        return document.row("summary").text("text")
    ends = document.text("start"), document.text("end")
    return _between(source, document.text("id"), document.text("text"), ends)
