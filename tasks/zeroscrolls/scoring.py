"""How answers of ZeroSCROLLS are scored: the official metric of each set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from evalsuite.metrics import zero_scrolls
from evalsuite.metrics.aggregate import geometric_mean_of, rouge_metrics
from evalsuite.task import Metric
from evalsuite.types import Completion, Sample, ScoredAnswer

from . import sets
from .sets import Set

Scorer = Callable[[Sample, Completion], ScoredAnswer]
NO_LABEL = "no label"
"""Why an example of a split without references is skipped."""

_SCORES: Mapping[sets.Metric, Callable[[str, Sequence[str]], float | None]] = {
    "f1": zero_scrolls.f1,
    "accuracy": zero_scrolls.accuracy,
    "exp_similarity": zero_scrolls.exp_similarity,
    "concordance_index": zero_scrolls.concordance_index,
}


def scorer_of(one: Set) -> Scorer:
    """Return a set's scorer."""

    def score(sample: Sample, completion: Completion) -> ScoredAnswer:
        text = completion.text.strip()
        if not sample.references:
            return ScoredAnswer({}, text, skipped=NO_LABEL)
        if one.is_summary:
            return ScoredAnswer(_rouge(text, sample.references), text)
        answer = extracted(one, text)
        value = _SCORES[one.metric](text, sample.references)
        if value is None:
            raise ValueError(f"sample {sample.id}: a gold answer of {one.config} is faulty; readers refuse such a row")
        return ScoredAnswer({one.metric: value}, text if answer is None else answer, scorable=answer is not None)

    return score


def extracted(one: Set, text: str) -> str | None:
    """Return what the official metric reads in an answer, None when it finds nothing and the value is 0."""
    if one.metric == "accuracy":
        return zero_scrolls.answer_letter(text)
    if one.metric == "exp_similarity":
        found = zero_scrolls.percentage(text)
        return None if found is None else f"{found:g}%"
    if one.metric == "concordance_index":
        return ", ".join(map(str, zero_scrolls.ids(text))) or None
    return text


def fault(one: Set, reference: str) -> str | None:
    """Say what is wrong with a gold answer, None when nothing is: the official code raises there."""
    if one.metric == "concordance_index":
        if len(set(zero_scrolls.ids(reference))) < 2:  # noqa: PLR2004 an order needs a pair
            return f"is {reference[:40]!r}, which has no two ids to be in order"
    elif _unreadable(one, reference):
        what = "letter A to D" if one.metric == "accuracy" else "percentage"
        return f"is {reference[:40]!r}, in which there is no {what}"
    return None


def _unreadable(one: Set, reference: str) -> bool:
    """Whether there is nothing to compare with; a percentage of hundreds of digits is none either."""
    if one.metric == "exp_similarity":
        value = zero_scrolls.percentage(reference)
        return value is None or not isfinite(value)
    return extracted(one, reference) is None


def metrics_of(one: Set) -> tuple[Metric, ...]:
    """Return a set's metrics.

    The ROUGE score is the geometric mean of the three dataset means, as the official code has it; the paper says it
    is taken of each instance, which is `rouge_geo_sample`.
    """
    if not one.is_summary:
        return (Metric(one.metric, primary=True, official=f"zero_scrolls.{one.metric}"),)
    return (*rouge_metrics("zero_scrolls.rouge"), Metric("rouge_geo_sample"))


def _rouge(text: str, references: Sequence[str]) -> dict[str, float]:
    values = zero_scrolls.rouge(text, references)
    return {**values, "rouge_geo_sample": geometric_mean_of(values)}
