"""Reads the original datasets from which some sets of ZeroSCROLLS can be rebuilt.

Each function yields the questions of one split. Where a publisher's own task here reads more layouts and cleans more,
these read the plain ones: a benchmark's folder does not lean on another's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from typing import NamedTuple

from evalsuite.metrics.qasper import gold_answer
from evalsuite.task import Row, Source
from evalsuite.types import Document, Json

UNANSWERABLE = "unanswerable"
LETTERS = "ABCD"
JUDGED = ("LLM", "human")
"""Values of L-Eval's `evaluation` whose rows are left to judges."""
SHORT_NAMES = {"train": "train", "validation": "dev", "test": "test"}


class Asked(NamedTuple):
    """A question about a document."""

    id: str
    document: Document
    query: str
    references: tuple[str, ...]


class _Question(NamedTuple):
    """A question of a paper with its usable answers."""

    id: str
    text: str
    answers: tuple[str, ...]


def leval_summaries(source: Source, name: str) -> Iterator[Asked]:
    """Documents and summaries of an L-Eval summary set."""
    file = source.need(f"Open-ended-tasks/{name}.jsonl")[0]
    for number, row in enumerate(file.records()):
        evaluation = row.text("evaluation")
        if evaluation not in ("rouge", *JUDGED):
            known = ", ".join(("rouge", *JUDGED))
            raise row.error("evaluation", f"is {evaluation[:40]!r}, in {name} it must be one of: {known}")
        if evaluation == "rouge":
            yield Asked(str(number), Document(str(number), row.text("input")), "", tuple(row.some_texts("outputs")))


def qmsum(source: Source, split: str) -> Iterator[Asked]:
    """Queries of every meeting, general ones first; a turn is a line `speaker: content`."""
    name = "val" if split == "validation" else split
    for number, row in enumerate(source.need(f"{name}.jsonl")[0].records()):
        turns = (f"{turn.text('speaker')}: {turn.text('content')}" for turn in row.rows("meeting_transcripts"))
        document = Document(f"{split}-{number}", "\n".join(turns))
        for kind in ("general", "specific"):
            for index, query in enumerate(row.rows(f"{kind}_query_list")):
                asked = query.text("query")
                yield Asked(f"{document.id}/{kind}-{index}", document, asked, (query.text("answer"),))


def squality(source: Source, split: str) -> Iterator[Asked]:
    """Questions of every story with all their references (four in validation and test)."""
    for row in source.need(f"{SHORT_NAMES[split]}.jsonl")[0].records():
        document = Document(row.row("metadata").identifier("passage_id"), row.text("document"))
        seen = set[str]()
        for question in row.rows("questions"):
            name = f"{document.id}/{question.whole('question_number')}"
            if name in seen:
                raise question.error("question_number", "stands twice in one story")
            seen.add(name)
            references = tuple(response.text("response_text") for response in question.rows("responses"))
            if not references:
                raise question.error("responses", "must hold at least one response")
            yield Asked(name, document, question.text("question_text"), references)


def qasper(source: Source, split: str) -> Iterator[Asked]:
    """Questions of every paper; its text is the sections with their names, without title and abstract."""
    name = SHORT_NAMES[split]
    file = source.need(f"qasper-{name}-v*.json", f"{name}.jsonl", f"qasper_{name}*.jsonl")[0]
    if file.name.endswith(".json"):
        whole = file.json()
        papers = [(key, *_nested(whole.row(key))) for key in whole.names()]
    else:
        papers = [(row.identifier("id"), *_columnar(row)) for row in file.records()]
    for key, text, questions in papers:
        document = Document(key, text)
        for question in questions:
            if question.answers:
                yield Asked(question.id, document, question.text, question.answers)


def quality(source: Source, split: str) -> Iterator[Asked]:
    """Multiple-choice questions, the options marked (A) to (D); the reference is the letter.

    Raises:
        UsageError: a gold label outside the options, or labels whose counting cannot be told.
    """
    name = SHORT_NAMES[split]
    rows = list(source.need(f"QuALITY.v*htmlstripped.{name}", f"quality_{name}*.json")[0].records())
    questions = [(row, one) for row in rows for one in (row.rows("questions") if row.get("questions") else (row,))]
    base = _base([question for _, question in questions])
    documents: dict[str, Document] = {}
    for row, question in questions:
        text, asked = row.text("article"), question.text("question")
        document = documents.setdefault(text, Document(row.identifier("article_id"), text))
        options = question.texts("options")
        if len(options) != len(LETTERS):
            raise question.error("options", f"has {len(options)} instead of four")
        listed = "\n".join(f" ({letter}) {option}" for letter, option in zip(LETTERS, options, strict=True))
        key = f"{document.id}/{sha256(asked.encode()).hexdigest()[:8]}"
        if question.get("question_unique_id") is not None:
            key = question.identifier("question_unique_id")
        yield Asked(key, document, f"{asked}\n\n{listed}", (LETTERS[question.whole("gold_label") - base],))


def musique(source: Source, split: str) -> Iterator[Asked]:
    """Questions on twenty paragraphs of Wikipedia each; the answer's other names are references too."""
    files = {"validation": ("musique_*_dev.jsonl", "musique_200_sample.jsonl"), "train": ("musique_train*.json*",)}
    file = source.need(*files[split])[0]
    if file.name == "musique_200_sample.jsonl":
        source.note(f"{file.name} does not state its split and holds answerable questions only")
    for row in file.records():
        texts = (f"{part.text('title')}\n{part.text('paragraph_text')}" for part in row.rows("paragraphs"))
        name, answerable = row.identifier("id"), row.optional_truth("answerable") is not False
        references = (row.text("answer"), *row.texts("answer_aliases")) if answerable else (UNANSWERABLE,)
        yield Asked(name, Document(name, "\n\n".join(texts)), row.text("question"), references)


def narrative_qa(source: Source, split: str) -> Iterator[Asked]:
    """Questions on every story that is there, cut to its own start and end where these are found."""
    stories = {PurePosixPath(file.name).stem: file for file in source.need("tmp/*.content", "stories/*.content")}
    ends = {row.identifier("document_id"): row for row in source.need("documents.csv")[0].records()}
    asked = _narrative_questions(source, split)
    absent = len([name for name in asked if name not in stories])
    if absent:
        source.note(f"{absent} of {len(asked)} stories are not there and not asked about")
    for name in (name for name in asked if name in stories and name in ends):
        document = Document(name, _between(stories[name].read_text(), ends[name]))
        for index, (question, references) in enumerate(asked[name]):
            yield Asked(f"{name}/{index}", document, question, references)


def _narrative_questions(source: Source, split: str) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Questions by story: of the official file, else of a flattening whose text is tokenised."""
    asked: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    official = source.find("qaps.csv")
    if official:
        for row in official[0].records():
            if row.text("set") == ("valid" if split == "validation" else split):
                references = (row.text("answer1"), row.text("answer2"))
                asked.setdefault(row.identifier("document_id"), []).append((row.text("question"), references))
        return asked
    source.note("questions come from a third-party copy (summaries_qa): tokenised text, apostrophes lost")
    for row in source.need(f"summaries_qa/{SHORT_NAMES[split]}.json")[0].records():
        pair = (row.text("question.tokens"), tuple(row.some_texts("ground_truths")))
        asked.setdefault(row.identifier("_id"), []).append(pair)
    return asked


def _between(text: str, row: Row) -> str:
    """The story from its first words to its last ones, which the data gives as tokens; the whole text without them."""
    first, last = (r"\s*".join(map(re.escape, row.text(name).split())) for name in ("story_start", "story_end"))
    start = re.search(first, text)
    ends = [] if start is None else [found.end() for found in re.finditer(last, text)]
    return text if start is None or not ends else text[start.start() : ends[-1]]


def _nested(row: Row) -> tuple[str, list[_Question]]:
    """Text and questions of a paper in Qasper's own files."""
    sections = [(one.optional_text("section_name"), one.texts("paragraphs")) for one in row.rows("full_text")]
    questions = [
        _Question(
            one.identifier("question_id"), one.text("question"), _answers(a.row("answer") for a in one.rows("answers"))
        )
        for one in row.rows("qas")
    ]
    return _paper(sections), questions


def _columnar(row: Row) -> tuple[str, list[_Question]]:
    """Text and questions of a paper in the hub's columns.

    Raises:
        UsageError: columns of one paper differ in length.
    """
    full, asked = row.row("full_text"), row.row("qas")
    names, sections = full.optional_texts("section_name"), full.text_lists("paragraphs")
    keys, texts, answers = asked.texts("question_id"), asked.texts("question"), asked.rows("answers")
    if len(names) != len(sections):
        raise full.error("paragraphs", f"has {len(sections)} sections where section_name has {len(names)}")
    if not len(keys) == len(texts) == len(answers):
        raise asked.error("answers", f"has {len(answers)} items for {len(texts)} questions with {len(keys)} ids")
    if not all(key.strip() for key in keys):
        raise asked.error("question_id", "holds a blank id")
    questions = [
        _Question(key, text, _answers(answer.rows("answer")))
        for key, text, answer in zip(keys, texts, answers, strict=True)
    ]
    return _paper(zip(names, sections, strict=True)), questions


def _paper(sections: Iterable[tuple[str | None, Sequence[str]]]) -> str:
    return "\n\n".join("\n".join((name or "", *paragraphs)) for name, paragraphs in sections)


def _answers(annotations: Iterable[Row]) -> tuple[str, ...]:
    """The annotators' answers as Qasper's evaluator has them; an unanswerable question asks for that word."""
    found = (gold_answer(_annotation(row)) for row in annotations)
    return tuple(UNANSWERABLE if answer.type == "none" else answer.text for answer in found if answer is not None)


def _annotation(row: Row) -> dict[str, Json]:
    return {
        "unanswerable": row.optional_truth("unanswerable"),
        "extractive_spans": row.texts("extractive_spans"),
        "free_form_answer": row.optional_text("free_form_answer"),
        "yes_no": row.optional_truth("yes_no"),
        "evidence": row.texts("evidence"),
    }


def _base(questions: Sequence[Row]) -> int:
    """Whether gold labels count from 0 or from 1: a label of 0 or of the number of options tells."""
    labels, last = {question.whole("gold_label") for question in questions}, len(LETTERS)
    from_zero, from_one = 0 in labels, last in labels
    if labels and (from_zero == from_one or not labels <= set(range(last + 1))):
        raise questions[0].error("gold_label", "counts from neither 0 nor 1 over the whole file; mend the file")
    return int(from_one)
