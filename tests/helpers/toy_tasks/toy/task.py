"""A task of a third party, read from ``toy/{split}.jsonl``: for tests of the core only."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.metrics.scrolls import f1
from evalsuite.qa import paper_protocol
from evalsuite.task import Dataset, Metric, Row, Selection, Task
from evalsuite.types import Completion, Document, Sample, ScoredAnswer, Span


def samples(selection: Selection) -> Iterator[Sample]:
    for file in selection.source.need(f"{selection.split}.jsonl"):
        for row in file.records():
            yield _sample(row)


def _sample(row: Row) -> Sample:
    spans = row.get("evidence")
    evidence = None if spans is None else tuple(Span(start, end) for start, end in spans)
    document = Document(row.text("document"), row.text("text"))
    return Sample(
        row.text("id"),
        document,
        row.text("question"),
        tuple(row.texts("answers")),
        tuple(row.get("choices", ())),
        evidence=evidence,
    )


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """F1 of the answer; one that is empty is unscorable, worth 0."""
    answer = completion.text.strip()
    values = {"f1": f1(answer, sample.references), "words": float(len(answer.split()))}
    return ScoredAnswer(values, answer, scorable=bool(answer))


def score_options(sample: Sample, completion: Completion) -> ScoredAnswer:
    """The most probable choice."""
    best = max(range(len(sample.choices)), key=lambda index: completion.options[index].logprob)
    return ScoredAnswer({"f1": f1(sample.choices[best], sample.references), "words": 1.0}, sample.choices[best])


TASKS = (
    Task(
        name="toy",
        suite="toys",
        title="Questions made for tests",
        version=1,
        samples=samples,
        splits=("train", "validation"),
        split="validation",
        train_split="train",
        protocols=(
            paper_protocol(score=score, max_new_tokens=32),
            paper_protocol(
                score=score_options,
                max_new_tokens=4,
                name="options",
                options=lambda sample: tuple(f" {choice}" for choice in sample.choices),
            ),
        ),
        metrics=(Metric("f1", primary=True), Metric("words")),
        dataset=Dataset("toy", "https://example.org", "CC0", "none", "Write toy/validation.jsonl"),
        paper="none",
    ),
)
