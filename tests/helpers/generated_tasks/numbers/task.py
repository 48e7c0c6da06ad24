"""A number to find in a text made to measure: for tests of generated documents."""

from __future__ import annotations

import random
from collections.abc import Iterator

from evalsuite.errors import UsageError
from evalsuite.qa import paper_protocol
from evalsuite.task import Dataset, Metric, Selection, Task
from evalsuite.types import Completion, Document, Sample, ScoredAnswer

WORDS = ("salt", "lantern", "harbour", "quay", "rope", "tide", "gull", "keeper", "storm", "anchor")


def samples(selection: Selection) -> Iterator[Sample]:
    if selection.length is None or selection.tokenizer is None:
        raise UsageError("task numbers makes documents of a length: give --lengths")
    draw = random.Random(f"{selection.split} {selection.seed}")  # noqa: S311 - reproducible, not secret
    for index in range(3):
        number = str(draw.randrange(100))
        words = " ".join(draw.choices(WORDS, k=selection.length))
        text = _exact(f"The number is {number}. {words}", selection)
        yield Sample(f"n{index}", Document(f"d{index}", text), "What is the number?", (number,))


def _exact(text: str, selection: Selection) -> str:
    """The beginning of a text that has exactly the length asked for."""
    assert selection.tokenizer is not None
    for end in range(len(text) + 1):
        if len(selection.tokenizer.encode_literal(text[:end]).ids) == selection.length:
            return text[:end]
    raise UsageError(f"no document of exactly {selection.length} tokens was found")


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Whether the number is in the answer."""
    return ScoredAnswer({"found": 100.0 * (sample.references[0] in completion.text)}, completion.text)


TASKS = (
    Task(
        name="numbers",
        suite="toys",
        title="A number in a text made to measure",
        version=1,
        samples=samples,
        generated=True,
        splits=("test",),
        split="test",
        protocols=(paper_protocol(score=score, max_new_tokens=64),),
        metrics=(Metric("found", primary=True),),
        dataset=Dataset("numbers", "https://example.org", "CC0", "none", "Nothing to get: the documents are made"),
        paper="none",
    ),
)
