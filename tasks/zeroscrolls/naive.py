"""The naive baselines of the ZeroSCROLLS paper: answers without reading the text.

Source: arXiv:2305.14196v3, section 4.1. Spans are of white-space separated words; the draw is of our seed, not theirs.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from evalsuite.errors import UsageError
from evalsuite.metrics.zero_scrolls import ids
from evalsuite.types import Sample

SPAN_WORDS = {
    "gov_report": 500,
    "summ_screen_fd": 200,
    "qmsum": 50,
    "squality": 120,
    "narrative_qa": 4,
    "qasper": 15,
}
"""Words of the random span that is the answer."""

FIXED_ANSWERS = ("Yes", "No", "Unanswerable")
"""Answers Qasper allows in so many words; drawn as often as a span."""

LETTERS = "ABCD"


def predictions(config: str, samples: Iterable[Sample], *, seed: int = 0) -> dict[str, str]:
    """Answer every sample of a set: the content of a prediction file, by id.

    Args:
        config: the set's official name.
        samples: the set's samples, official or rebuilt.
        seed: of the draw; an answer depends on it and on the sample's id, not on the other samples.

    Raises:
        UsageError: there is no such set.
    """
    return {sample.id: answer(config, sample, random.Random(f"{seed}/{config}/{sample.id}")) for sample in samples}  # noqa: S311 no secret


def answer(config: str, sample: Sample, draw: random.Random) -> str:
    """Answer one sample."""
    if config == "qasper" and draw.random() < 0.5:  # noqa: PLR2004 an even choice
        return draw.choice(FIXED_ANSWERS)
    if config in SPAN_WORDS:
        return _span(sample.document.text.split(), SPAN_WORDS[config], draw)
    if config == "quality":
        return draw.choice(LETTERS)
    if config == "musique":
        return "Unanswerable"
    if config == "space_digest":
        return "50%"
    if config == "book_sum_sort":
        return ", ".join(str(number + 1) for number in range(_summaries(sample)))
    raise UsageError(f"{config!r} is no set of ZeroSCROLLS")


def _span(words: list[str], size: int, draw: random.Random) -> str:
    start = draw.randrange(max(1, len(words) - size + 1))
    return " ".join(words[start : start + size])


def _summaries(sample: Sample) -> int:
    """How many summaries are to be put in order: as many as begin in the document, else as the instruction says."""
    inner = int(sample.attributes["inner_documents"])
    numbers = ids(str(sample.attributes["instruction"]))
    return inner or (numbers[0] if numbers else 0)
