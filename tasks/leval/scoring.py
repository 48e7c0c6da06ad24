"""How L-Eval's answers are scored: exam, F1, ROUGE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from evalsuite.metrics import leval, leval_corrected
from evalsuite.metrics.aggregate import rouge_metrics
from evalsuite.task import Metric
from evalsuite.types import Completion, Sample, ScoredAnswer

from .reader import FACT, LOYALTY
from .sets import Set

Scorer = Callable[[Sample, Completion], ScoredAnswer]
MARK = "[fact:"
POSITIONS = ("first", "second", "third")
EXAM = Metric("exam", primary=True, official="leval.exam", scale=100)


def scorer_of(one: Set) -> Scorer:
    """Return a set's scorer."""
    if one.metric == "exam":
        return lambda sample, completion: score_exam(one, sample, completion)
    return score_f1 if one.metric == "f1" else score_rouge


def score_exam(one: Set, sample: Sample, completion: Completion) -> ScoredAnswer:
    """The official extraction, primary, and the corrected one.

    An answer in which the official code finds none takes its value (that of its guess `A`, or 0) and is unscorable.

    Raises:
        ValueError: the gold answer is faulty; readers refuse such a row.
    """
    text, which = _both_answers(sample, completion.text)
    official = leval.exam(one.name, text, sample.references[0])[which]
    corrected = leval_corrected.exam(one.name, text, sample.references[0])[which]
    if official.value is None or corrected.value is None:
        raise ValueError(f"sample {sample.id}: the gold answer {sample.references[0]!r} is faulty")
    values = {"exam": 100 * official.value, "exam_corrected": 100 * corrected.value}
    return ScoredAnswer(values, official.prediction, scorable=official.found)


def score_f1(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Token F1."""
    return ScoredAnswer({"f1": leval.f1(completion.text, sample.references)}, completion.text.strip())


def score_rouge(sample: Sample, completion: Completion) -> ScoredAnswer:
    """ROUGE F-measures without stemming."""
    return ScoredAnswer(leval.rouge(completion.text, sample.references), completion.text.strip())


def metrics_of(one: Set) -> tuple[Metric, ...]:
    """Return a set's metrics, the one of the published tables first.

    For ROUGE sets that is rougeL, although the evaluator's own `LEval_score` is the geometric mean of the three.
    """
    if one.metric == "f1":
        return (Metric("f1", primary=True, official="leval.f1"),)
    if one.metric == "rouge":
        return rouge_metrics("leval.rouge", primary="rougeL")
    return (EXAM, Metric("exam_corrected"), *_exam_parts(one))


def split_answer(text: str) -> dict[str, str]:
    """Split the answer of a sci_fi prediction file, `{loyalty} [fact: {fact}]`, as the official evaluator does.

    Without the mark the whole is the answer by the story; there is none by facts (the official code raises).
    """
    found = re.search(re.escape(MARK), text, re.IGNORECASE)
    if found is None:
        return {LOYALTY: text, FACT: ""}
    return {LOYALTY: text[: found.start()], FACT: text[found.end() : -1]}


def _exam_parts(one: Set) -> Iterator[Metric]:
    parts: dict[str, Callable[[Sample], bool]] = {}
    if one.name == leval.SCORED_TWICE:
        parts = {asked: _with("asked", asked) for asked in (LOYALTY, FACT)}
    elif one.name == leval.BY_POSITION:
        parts = {name: _with("position", place) for place, name in enumerate(POSITIONS)}
    for name, subset in parts.items():
        yield replace(EXAM, name=f"exam_{name}", primary=False, subset=subset, averages=EXAM.name)


def _with(attribute: str, value: object) -> Callable[[Sample], bool]:
    return lambda sample: bool(sample.attributes[attribute] == value)


def _both_answers(sample: Sample, text: str) -> tuple[str, int]:
    """The text as the evaluator reads it, and which of its judgements is this sample's."""
    if sample.attributes.get("asked") == FACT:
        return f"{MARK}{text}]", 1
    return (f"{text} {MARK}]", 0) if sample.attributes.get("asked") == LOYALTY else (text, 0)
