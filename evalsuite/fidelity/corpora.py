"""The corpus value of each line of aggregates: the estimate that runs make, in the official dictionary and rounding."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from evalsuite.fidelity.cases import Case
from evalsuite.fidelity.estimates import part, sample_values, value
from evalsuite.fidelity.scores import SCORES
from evalsuite.metrics import leval, longbench, scrolls, zero_scrolls
from evalsuite.metrics.aggregate import GEOMETRIC, rouge_metrics
from evalsuite.metrics.leval import ExamScore
from evalsuite.metrics.rouge import TYPES
from evalsuite.scoring.estimate import SampleValues
from evalsuite.task import Metric

PLACES = 4
"""Decimals in the dictionaries of SCROLLS, ZeroSCROLLS and L-Eval."""
LONGBENCH_PLACES = 2
_PERCENT = 100.0
_POSITIONS = 3
_EXAM, _LENGTH, _PART = "exact_match", "mean_prediction_length_characters", "part"


@dataclass(frozen=True, slots=True)
class Member:
    """One case of a group, with its value."""

    metric: str
    case: Case
    value: Any


def members_within(aggregate: Case) -> list[Member]:
    """The members of an aggregate that carries its texts itself; empty for the others."""
    if "references" not in aggregate:
        return []
    metric = f"scrolls.{scrolls.METRIC_OF[aggregate['config']]}"
    pairs = zip(aggregate["prediction"], aggregate["references"], strict=True)
    cases = [{"prediction": prediction, "references": references} for prediction, references in pairs]
    return [Member(metric, case, SCORES[metric](case)) for case in cases]


def dictionary(metric: str, values: Sequence[Any], score: str) -> dict[str, float]:
    """What is printed for one data set: its means, their number, and the one that stands for it as ``score``.

    Args:
        metric: name of the metric; under `rouge` the values are mappings by ROUGE type.
        values: one a sample, 0 to 100.
        score: the key of the value that stands for the data set (the geometric mean for ROUGE).
    """
    if metric != "rouge":
        counted = sample_values(({metric: one}, {}) for one in values)
        return _printed([Metric(metric)], counted, score, len(values))
    found = _printed(rouge_metrics("scrolls.rouge"), sample_values((one, {}) for one in values), score, len(values))
    spelled = {kind: f"rouge/{kind}" for kind in TYPES} | {GEOMETRIC: "rouge/geometric_mean"}
    return {spelled.get(name, name): one for name, one in found.items()}


def _printed(metrics: Sequence[Metric], counted: Sequence[SampleValues], score: str, number: int) -> dict[str, float]:
    """The metrics' values by name, rounded; the first one's again as ``score``."""
    found = {metric.name: round(_known(value(metric, counted)), PLACES) for metric in metrics}
    return {**found, "num_predicted": number, score: found[metrics[0].name]}


def _known(found: float | None) -> float:
    if found is None:
        raise ValueError("no values to average")
    return found


def _suite(metrics: Mapping[str, str], score: str) -> Callable[..., Any]:
    def printed(aggregate: Case, members: Sequence[Member]) -> dict[str, float]:
        return dictionary(metrics[aggregate["config"]], [member.value for member in members], score)

    return printed


def _longbench(aggregate: Case, members: Sequence[Member]) -> float:
    dataset = aggregate["config"]
    values = [member.value for member in members]
    if dataset in longbench.FIRST_LINE_ONLY:
        values = [SCORES[member.metric](_first_line(dataset, member.case)) for member in members]
    counted = sample_values(({"score": _PERCENT * one}, {}) for one in values)
    return round(_known(value(Metric("score"), counted)), LONGBENCH_PLACES)


def _first_line(dataset: str, case: Case) -> Case:
    return {**case, "prediction": longbench.scored_part(dataset, case["prediction"])}


def _leval(aggregate: Case, members: Sequence[Member]) -> dict[str, Any]:
    evaluation = members[0].metric.removeprefix("leval.")
    if evaluation != "exam":
        return dictionary(evaluation, [member.value for member in members], "LEval_score")
    task = aggregate["task"]
    scores = [leval.exam(task, member.case["prediction"], member.case["references"][0]) for member in members]
    if leval.BY_POSITION in task:
        return _in_parts("by_position", [list(chain(*scores[place::_POSITIONS])) for place in range(_POSITIONS)])
    if leval.SCORED_TWICE in task:
        return _in_parts("by_judgement", list(zip(*scores, strict=True)))
    (whole,) = _in_parts(_PART, [list(chain(*scores))])[_PART]
    return dict(whole)


def _in_parts(name: str, parts: Sequence[Sequence[ExamScore]]) -> dict[str, Any]:
    """The parts of a task that are printed apart, each a metric of a subset; the average is over all of them."""
    counted = sample_values(
        (_exam_values(score), {_PART: number}) for number, scores in enumerate(parts) for score in scores
    )
    printed = [
        _printed([part(one, _PART, number) for one in (_EXAM, _LENGTH)], counted, "LEval_score", len(scores))
        for number, scores in enumerate(parts)
    ]
    return {"average": _known(value(Metric(_EXAM), counted)), name: printed}


def _exam_values(score: ExamScore) -> dict[str, float]:
    if score.value is None:
        raise ValueError("a reference is faulty")
    return {_EXAM: _PERCENT * score.value, _LENGTH: len(score.prediction)}


CORPORA: Mapping[str, Callable[[Case, Sequence[Member]], Any]] = {
    "leval.auto_eval": _leval,
    "scrolls.compute": _suite(scrolls.METRIC_OF, "scrolls_score"),
    "zero_scrolls.compute": _suite(zero_scrolls.METRIC_OF, "zero_scrolls_score"),
    "longbench.scorer": _longbench,
}
"""Metric name -> corpus value of an aggregate and the members of its group, in their order."""
