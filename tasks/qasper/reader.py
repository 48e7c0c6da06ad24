"""Reads Qasper: the official JSON, the hub's columnar layout, a CSV of flattened papers, files with questions only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from evalsuite.task import File, Row, Selection, Source
from evalsuite.types import Sample

from .flattened import from_csv, from_question_dict, from_question_list
from .paper import Asked, Paper, answers, to_samples

FILES = {"train": "train", "validation": "dev", "test": "test"}
"""Our names of the splits to Qasper's."""

Reader = Callable[[File, Source], Iterator[Paper]]


def samples(selection: Selection) -> Iterator[Sample]:
    """Every question of every paper that has a usable reference.

    Raises:
        UsageError: no file, or a malformed field.
    """
    files, read = _files(selection.source, selection.split)
    yield from to_samples([paper for file in files for paper in read(file, selection.source)], selection.source)


def _files(source: Source, split: str) -> tuple[Sequence[File], Reader]:
    """The best files of the split that are there, and how to read them."""
    layouts = _layouts(FILES[split], split)
    for reader, patterns in layouts:
        if found := source.find(*patterns):
            return found, reader
    reader, patterns = layouts[0]
    return source.need(*patterns), reader


def _layouts(name: str, split: str) -> list[tuple[Reader, tuple[str, ...]]]:
    layouts: list[tuple[Reader, tuple[str, ...]]] = [
        (_official, (f"qasper-{name}-v*.json",)),
        (_columnar, (f"{name}.jsonl", f"{split}.jsonl", f"qasper_{name}*.jsonl")),
        (_columnar, (f"qasper/{split}/*.parquet", f"{split}/*.parquet", f"{split}-*.parquet")),
    ]
    if split == "train":
        layouts += [(_official, ("qasper_sample_small.json",)), (from_question_list, ("qasper_train_qas_*.json",))]
    if split == "validation":
        layouts.append((from_question_dict, ("qasper_dev_question_dict.json",)))
    if split == "test":
        layouts.append((from_csv, ("qasper_papers*.csv",)))
    return layouts


def _official(file: File, _: Source) -> Iterator[Paper]:
    whole = file.json()
    for name in whole.names():
        row = whole.row(name)
        sections = [
            (section.optional_text("section_name"), section.texts("paragraphs")) for section in row.rows("full_text")
        ]
        asked = [_asked(name, index, question) for index, question in enumerate(row.rows("qas"))]
        yield Paper(name, _text(row, sections), asked)


def _asked(paper: str, index: int, row: Row) -> Asked:
    given = answers([answer.row("answer") for answer in row.rows("answers")])
    return Asked(_id(row, f"{paper}/{index}"), row.text("question"), given)


def _id(row: Row, default: str) -> str:
    return default if row.get("question_id") is None else row.identifier("question_id")


def _columnar(file: File, _: Source) -> Iterator[Paper]:
    for row in file.records():
        name, full, asked = row.identifier("id"), row.row("full_text"), row.row("qas")
        yield Paper(name, _text(row, _sections(full)), list(_columns(name, asked)))


def _sections(row: Row) -> list[tuple[str | None, Sequence[str]]]:
    names, paragraphs = row.optional_texts("section_name"), row.text_lists("paragraphs")
    if len(names) != len(paragraphs):
        raise row.error("paragraphs", f"has {len(paragraphs)} sections where section_name has {len(names)}")
    return list(zip(names, paragraphs, strict=True))


def _columns(paper: str, row: Row) -> Iterator[Asked]:
    questions, given = row.texts("question"), row.rows("answers")
    if len(questions) != len(given):
        raise row.error("answers", f"has {len(given)} items for {len(questions)} questions")
    ids = (
        row.texts("question_id")
        if row.get("question_id") is not None
        else [f"{paper}/{index}" for index in range(len(given))]
    )
    if len(ids) != len(given):
        raise row.error("question_id", f"has {len(ids)} items for {len(questions)} questions")
    if not all(name.strip() for name in ids):
        raise row.error("question_id", "holds a blank id")
    for name, question, told in zip(ids, questions, given, strict=True):
        yield Asked(name, question, answers(told.rows("answer")))


def _text(row: Row, sections: Sequence[tuple[str | None, Sequence[str]]]) -> str:
    """Title, abstract and sections with their names, blank lines between; empty for a paper without any of them."""
    bodies = ("\n".join((*([name] if name else ()), *paragraphs)) for name, paragraphs in sections)
    text = "\n\n".join((row.text("title"), row.text("abstract"), *bodies))
    return text if text.strip() else ""
