"""Reads QuALITY: the official JSON Lines (an article with its questions), a flat JSON list, the hub's parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from string import ascii_uppercase

from evalsuite.errors import UsageError
from evalsuite.task import File, Row, Selection, Source
from evalsuite.types import Document, Sample

FILES = {"train": ("train",), "validation": ("dev", "validation", "val"), "test": ("test",)}
"""Our names of the splits to those in file names."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question as read, its gold label in the file's own counting."""

    id: str
    article_id: str
    article: str
    question: str
    options: tuple[str, ...]
    label: int
    difficult: bool | None


def samples(selection: Selection) -> Iterator[Sample]:
    """Every question of every article; the questions of one article, which the file may scatter, come together.

    Raises:
        UsageError: no file, a malformed field, or a gold label whose counting cannot be told.
    """
    files = _files(selection.source, selection.split)
    items = [item for file in files for row in file.records() for item in _items(row)]
    base = index_base(items, files[0].name)
    selection.source.note(f"gold labels of {files[0].name} count from {base} (inferred from the file)")
    articles: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        articles.setdefault((item.article_id, item.article), []).append(item)
    for (name, article), questions in articles.items():
        document = Document(name, article)
        yield from (_sample(item, document, base) for item in questions)


def index_base(items: Sequence[Item], name: str) -> int:
    """Whether gold labels count from 0 or from 1: some label is 0, or some label is the number of options.

    Raises:
        UsageError: neither or both, or a label outside the options.
    """
    zero = [item for item in items if item.label == 0]
    last = [item for item in items if item.label == len(item.options)]
    if bool(zero) == bool(last):
        found = "both 0 and the number of options occur" if zero else "neither 0 nor the number of options occurs"
        raise UsageError(f"{name}: cannot tell whether gold labels count from 0 or 1: {found}; mend or extend the file")
    return 0 if zero else 1


def _files(source: Source, split: str) -> Sequence[File]:
    names = FILES[split]
    flat = [f"{name}.jsonl" for name in names] + [f"quality_{name}*.json" for name in names]
    official = [f"QuALITY.v*{kind}.{name}" for name in names for kind in (".htmlstripped", "")]
    parquet = [f"{folder}{name}-*.parquet" for name in names for folder in ("data/", "")]
    for pattern in (*official, *flat, *parquet):
        if found := source.find(pattern):
            return found
    return source.need(*official[:1], *flat, *parquet)


def _items(row: Row) -> Iterator[Item]:
    article = row.text("article")
    name = _id(row, "article_id", f"article-{sha256(article.encode()).hexdigest()[:12]}")
    questions = [row] if row.get("questions") is None else row.rows("questions")
    for question in questions:
        yield _item(question, name, article)


def _item(row: Row, article_id: str, article: str) -> Item:
    field = "gold_label" if row.get("gold_label") is not None or row.get("answer") is None else "answer"
    options, label = tuple(row.texts("options")), row.whole(field)
    if not 0 <= label <= len(options):
        raise row.error(field, f"is {label}, but there are {len(options)} options")
    if not 2 <= len(options) <= len(ascii_uppercase):  # noqa: PLR2004 - a choice
        raise row.error("options", f"must be 2 to {len(ascii_uppercase)} texts, not {len(options)}")
    question = row.text("question")
    name = _id(row, "question_unique_id", f"{article_id}/{sha256(question.encode()).hexdigest()[:8]}")
    return Item(name, article_id, article, question, options, label, _hard(row))


def _id(row: Row, name: str, default: str) -> str:
    return default if row.get(name) is None else row.identifier(name)


def _hard(row: Row) -> bool | None:
    """Whether the question is of the hard subset: 0 and 1 in the official files, true and false on the hub."""
    field = "difficult" if row.get("difficult") is not None else "hard"
    if isinstance(row.get(field), bool):
        return row.optional_truth(field)
    if row.get(field) is None:
        return None
    number = row.whole(field)
    if number not in (0, 1):
        raise row.error(field, f"is {number}; it must be 0 or 1")
    return bool(number)


def _sample(item: Item, document: Document, base: int) -> Sample:
    gold = item.label - base
    return Sample(
        id=item.id,
        document=document,
        question=item.question,
        references=(item.options[gold],),
        choices=item.options,
        gold=gold,
        attributes={} if item.difficult is None else {"difficult": item.difficult},
    )
