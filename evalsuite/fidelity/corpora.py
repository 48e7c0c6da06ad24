"""The corpus value of each line of aggregates, from the cases of its group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.fidelity.cases import Case
from evalsuite.fidelity.scores import SCORES
from evalsuite.metrics import leval, longbench, scrolls, zero_scrolls

_POSITIONS = 3


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


def _suite(compute: Callable[[str, Sequence[Any]], dict[str, float]]) -> Callable[..., Any]:
    def value(aggregate: Case, members: Sequence[Member]) -> dict[str, float]:
        return compute(aggregate["config"], [member.value for member in members])

    return value


def _longbench(aggregate: Case, members: Sequence[Member]) -> float:
    dataset = aggregate["config"]
    if dataset not in longbench.FIRST_LINE_ONLY:
        return longbench.corpus([member.value for member in members])
    first_lines = (
        {**member.case, "prediction": longbench.scored_part(dataset, member.case["prediction"])} for member in members
    )
    return longbench.corpus([SCORES[members[0].metric](case) for case in first_lines])


def _leval(aggregate: Case, members: Sequence[Member]) -> dict[str, Any]:
    evaluation = members[0].metric.removeprefix("leval.")
    if evaluation != "exam":
        return leval.auto_eval(evaluation, [member.value for member in members])
    task = aggregate["task"]
    scores = [leval.exam(task, member.case["prediction"], member.case["references"][0]) for member in members]
    if leval.BY_POSITION in task:
        places = [[score for (score,) in scores[place::_POSITIONS]] for place in range(_POSITIONS)]
        return _in_parts("by_position", leval.auto_eval_parts(places))
    parts = leval.auto_eval_parts(list(zip(*scores, strict=True)))
    return parts[0] if len(parts) == 1 else _in_parts("by_judgement", parts)


def _in_parts(name: str, parts: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {"average": leval.average(parts), name: list(parts)}


CORPORA: Mapping[str, Callable[[Case, Sequence[Member]], Any]] = {
    "leval.auto_eval": _leval,
    "scrolls.compute": _suite(scrolls.compute),
    "zero_scrolls.compute": _suite(zero_scrolls.compute),
    "longbench.scorer": _longbench,
}
"""Metric name -> corpus value of an aggregate and the members of its group, in their order."""
