"""Writes the miniature world as the publishers of the four benchmarks write their data.

The real readers, prompts and scorers run on these files unchanged. Layouts: NarrativeQA's repository
(github.com/google-deepmind/narrativeqa), the official JSON of Qasper v0.3 (allenai.org/data/qasper), the JSON Lines of
QuALITY v1.0.1 (github.com/nyu-mll/quality) and of QMSum (github.com/Yale-LILY/QMSum).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from random import Random
from typing import Any

from evalsuite.demo.questions import Question, ask_all
from evalsuite.demo.tokenizer import count_tokens
from evalsuite.demo.world import (
    SPLITS,
    TASKS,
    Section,
    Shape,
    WorldDocument,
    context,
    make_document,
    render_paragraph,
    render_turn,
)

FRAME = 144
"""Tokens of a length a document leaves free: BOS, two demonstrations without their documents, question, answer."""
TOKENS_A_FACT = 40
"""Tokens of document for each fact it states, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Item:
    """One document with its questions, ready to be written."""

    id: str
    document: WorldDocument
    questions: tuple[Question, ...]


def write_world(  # noqa: PLR0913 - each is one property of the generated data
    root: Path,
    *,
    tasks: Sequence[str] = TASKS,
    lengths: Sequence[int] = (512,),
    documents: int = 4,
    questions: int = 4,
    seed: int = 0,
    facts: int | None = None,
    position: float | None = None,
    count: Callable[[str], int] = count_tokens,
) -> None:
    """Write data folders ``root/length-N/<task>`` for each length.

    The length is the size a document was made to have, counted as RULER does: the whole request, BOS and the room for
    the answer included, fits into it. Documents fill it up to ``FRAME`` tokens, which hold the question, an answer of
    32 tokens and two demonstrations whose documents are placeholders. Splits never share a fact.

    Args:
        root: the folder to write to, as ``--data`` takes it.
        tasks: which of ``narrativeqa``, ``qasper``, ``quality``, ``qmsum``.
        lengths: lengths in tokens.
        documents: documents in each split.
        questions: questions about each document, fewer where it states fewer facts.
        seed: another seed, another world; the same seed, the same bytes.
        facts: facts in each document; by default one every ``TOKENS_A_FACT`` tokens.
        position: where the facts lie, from 0 (the beginning) to 1 (the end); None spreads them.
        count: tokens of a text without BOS, for a tokenizer other than the checkpoints' own.
    """
    for length in lengths:
        for task in tasks:
            tokens = length - FRAME
            shape = Shape(tokens, max(questions + 2, tokens // TOKENS_A_FACT) if facts is None else facts, position)
            folder = root / f"length-{length}" / task
            folder.mkdir(parents=True, exist_ok=True)
            items = {}
            for split in SPLITS:
                random = Random(f"{seed} {length} {task} {split}")  # noqa: S311 - reproducible, not secret
                items[split] = _items(random, task, split, shape, (documents, questions), count)
            _WRITERS[task](folder, items)


def _items(
    random: Random, task: str, split: str, shape: Shape, size: tuple[int, int], count: Callable[[str], int]
) -> list[Item]:
    documents, questions = size
    made = (make_document(random, task, split, shape, count) for _ in range(documents))
    # the readers tell 1-based gold labels by a label 4: option D is the first document's first right one
    return [
        Item(_name(document), document, ask_all(random, document, questions, 3 - index))
        for index, document in enumerate(made)
    ]


def _name(document: WorldDocument) -> str:
    """As NarrativeQA names its documents: 40 hexadecimal digits, here of the text."""
    return sha256(context(document).encode()).hexdigest()[:40]


_NARRATIVE_SETS = {"train": "train", "validation": "valid", "test": "test"}
_DOCUMENT_COLUMNS = (
    "document_id,set,kind,story_url,story_file_size,wiki_url,wiki_title,story_word_count,story_start,story_end"
)
_QUESTION_COLUMNS = "document_id,set,question,answer1,answer2,question_tokenized,answer1_tokenized,answer2_tokenized"


def _write_narrativeqa(folder: Path, items: Mapping[str, Sequence[Item]]) -> None:
    kept = [(_NARRATIVE_SETS[split], item) for split in SPLITS for item in items[split]]
    for _, item in kept:
        _write(folder / "stories" / f"{item.id}.content", f"A story.\n\n{context(item.document)}\n\nThe end.\n")
    _write_csv(folder / "documents.csv", _DOCUMENT_COLUMNS, starmap(_story_row, kept))
    asked = ((name, item, question) for name, item in kept for question in item.questions)
    _write_csv(folder / "qaps.csv", _QUESTION_COLUMNS, starmap(_question_row, asked))
    summaries = ((item.id, name, *_twice(_summary(item.document))) for name, item in kept)
    _write_csv(
        folder / "third_party" / "wikipedia" / "summaries.csv", "document_id,set,summary,summary_tokenized", summaries
    )


def _story_row(name: str, item: Item) -> tuple[object, ...]:
    text = context(item.document)
    url, words = f"world://{item.id}", _tokenized(text).split()
    # a first line is unlike any later one only as a whole, and so is a last one
    first, last = text.split(".", 1)[0] + ".", text.removesuffix(".").rsplit(".", 1)[-1].strip() + "."
    return item.id, name, "gutenberg", url, len(text), url, "A story", len(words), _tokenized(first), _tokenized(last)


def _question_row(name: str, item: Item, question: Question) -> tuple[str, ...]:
    first, second = question.answer, str(question.evidence[0])
    return item.id, name, question.text, first, second, *map(_tokenized, (question.text, first, second))


def _summary(document: WorldDocument) -> str:
    return render_paragraph([sentence for sentence in document.sentences if sentence.fact][:8])


def _twice(text: str) -> tuple[str, str]:
    return text, _tokenized(text)


def _tokenized(text: str) -> str:
    return " ".join(text.replace(".", " .").replace("?", " ?").split())


def _write_qasper(folder: Path, items: Mapping[str, Sequence[Item]]) -> None:
    for split, name in {"train": "train", "validation": "dev", "test": "test"}.items():
        papers = {item.id[:10]: _paper(item) for item in items[split]}
        _write(folder / f"qasper-{name}-v0.3.json", json.dumps(papers, indent=1) + "\n")


def _paper(item: Item) -> dict[str, Any]:
    document = item.document
    sections = [
        {"section_name": section.name, "paragraphs": list(map(render_paragraph, section.paragraphs))}
        for section in document.sections
    ]
    asked = [_annotated(item, index) for index in range(len(item.questions))]
    return {"title": document.title, "abstract": document.abstract, "full_text": sections, "qas": asked}


def _annotated(item: Item, index: int) -> dict[str, Any]:
    question, name = item.questions[index], f"{item.id[:10]}-{index}"
    shown = [sentence for sentence in item.document.sentences if sentence.fact in question.evidence]
    answer = {
        "unanswerable": question.kind == "unanswerable",
        "extractive_spans": [question.answer] if question.kind == "extractive" else [],
        "yes_no": question.answer == "Yes" if question.kind == "boolean" else None,
        "free_form_answer": "",
        "evidence": [_around(item.document.sections, sentence.text) for sentence in shown],
        "highlighted_evidence": [sentence.text for sentence in shown],
    }
    annotated = {"answer": answer, "annotation_id": f"{name}-0", "worker_id": "world"}
    return {"question": question.text, "question_id": name, "answers": [annotated]}


def _around(sections: Iterable[Section], text: str) -> str:
    paragraphs = (render_paragraph(paragraph) for section in sections for paragraph in section.paragraphs)
    return next(paragraph for paragraph in paragraphs if text in paragraph)


def _write_quality(folder: Path, items: Mapping[str, Sequence[Item]]) -> None:
    for split, name in {"train": "train", "validation": "dev", "test": "test"}.items():
        _write_lines(folder / f"QuALITY.v1.0.1.htmlstripped.{name}", map(_article, items[split]))


def _article(item: Item) -> dict[str, Any]:
    asked = [
        {
            "question": question.text,
            "question_unique_id": f"{item.id[:10]}_{index}",
            "options": list(question.options),
            "gold_label": question.options.index(question.evidence[0].value) + 1,
            "difficult": index % 2,
        }
        for index, question in enumerate(item.questions)
    ]
    return {"article_id": item.id[:10], "title": "A story", "article": context(item.document), "questions": asked}


def _write_qmsum(folder: Path, items: Mapping[str, Sequence[Item]]) -> None:
    for split, name in {"train": "train", "validation": "val", "test": "test"}.items():
        _write_lines(folder / f"{name}.jsonl", map(_meeting, items[split]))


def _meeting(item: Item) -> dict[str, Any]:
    turns = item.document.sentences
    at = {sentence.fact: index for index, sentence in enumerate(turns) if sentence.fact}
    general = [question for question in item.questions if question.kind == "overview"]
    specific = [question for question in item.questions if question.kind != "overview"]
    return {
        "topic_list": [{"topic": "All of it", "relevant_text_span": [["0", str(len(turns) - 1)]]}],
        "general_query_list": [{"query": question.text, "answer": question.answer} for question in general],
        "specific_query_list": [
            {
                "query": question.text,
                "answer": question.answer,
                "relevant_text_span": [[str(at[fact]), str(at[fact])] for fact in question.evidence],
            }
            for question in specific
        ],
        "meeting_transcripts": [
            {"speaker": turn.speaker, "content": render_turn(turn).removeprefix(f"{turn.speaker}: ")} for turn in turns
        ],
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    _write(path, "".join(json.dumps(row) + "\n" for row in rows))


def _write_csv(path: Path, columns: str, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns.split(","))
        writer.writerows(rows)


_WRITERS: dict[str, Callable[[Path, Mapping[str, Sequence[Item]]], None]] = {
    "narrativeqa": _write_narrativeqa,
    "qasper": _write_qasper,
    "quality": _write_quality,
    "qmsum": _write_qmsum,
}
