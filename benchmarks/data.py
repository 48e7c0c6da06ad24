"""Real documents with all their questions, in the publishers' own files."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError

OPTION = re.compile(r"\n\s*\(([A-D])\)")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and, where the data gives them, its options as text."""

    text: str
    options: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """A document and all its questions."""

    id: str
    text: str
    questions: tuple[Question, ...]


def data_folder() -> Path:
    """The folder of the publishers' files (EVALSUITE_DATA).

    Raises:
        UsageError: it is not set or no folder.
    """
    folder = Path(os.environ.get("EVALSUITE_DATA", ""))
    if not os.environ.get("EVALSUITE_DATA") or not folder.is_dir():
        raise UsageError(
            "benchmarks read real documents: set EVALSUITE_DATA to the folder that holds leval/ and qmsum/"
        )
    return folder


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON Lines file, plain or gzip."""
    packed = path.with_name(path.name + ".gz")
    for line in read_text(packed if packed.exists() else path).split("\n"):
        if line:
            yield json.loads(line)


def read_text(path: Path) -> str:
    """A UTF-8 file, plain or gzip."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8", "replace")


def quality(folder: Path) -> list[Book]:
    """L-Eval's QuALITY: 15 stories, multiple choice."""
    rows = read_lines(folder / "leval" / "Closed-ended-tasks" / "quality.jsonl")
    return [
        Book(
            f"quality-{number}",
            row["input"],
            tuple(choice_question(text, gold) for text, gold in zip(row["instructions"], row["outputs"], strict=True)),
        )
        for number, row in enumerate(rows)
    ]


def choice_question(text: str, gold: str) -> Question:
    """Splits a question from its options ``(A) ... (D) ...``."""
    stem, *rest = OPTION.split(text)
    return Question(stem.strip(), tuple(option.strip() for option in rest[1::2]), gold)


def qmsum(folder: Path) -> list[Book]:
    """QMSum's test split: 35 meetings with general and specific queries."""
    return [
        Book(f"qmsum-{number}", transcript(row), tuple(queries(row)))
        for number, row in enumerate(read_lines(folder / "qmsum" / "test.jsonl"))
    ]


def transcript(row: dict[str, Any]) -> str:
    """A meeting as ``speaker: words`` lines."""
    return "\n".join(f"{turn['speaker']}: {turn['content']}" for turn in row["meeting_transcripts"])


def queries(row: dict[str, Any]) -> Iterator[Question]:
    """All queries of a meeting."""
    for kind in ("general_query_list", "specific_query_list"):
        for query in row.get(kind, ()):
            yield Question(query["query"], answer=query["answer"])


def stories(folder: Path) -> str:
    """Long running text: NarrativeQA's stories where they lie, else L-Eval's."""
    paths = [path for path in sorted((folder / "narrativeqa" / "stories").glob("*")) if path.is_file()]
    return "\n".join(map(read_text, paths[:2])) or "\n".join(book.text for book in quality(folder))
