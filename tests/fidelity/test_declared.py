"""What the built-in tasks' metrics declare is so: the official function is a checked one and gives their values."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.fidelity.scores import SCORES
from evalsuite.plugins import find_tasks
from evalsuite.task import Metric, Task
from evalsuite.types import Completion, Document, Sample

TASKS = find_tasks()
DECLARED = [(task, metric) for task in TASKS.values() for metric in task.metrics if metric.official]
REFERENCE = "True (B) 70% of 3, 1, 2 lamps from Bergen [fact: True]"
ANSWERS = (
    "B",
    "the answer is 70%",
    "3, 1, 2",
    "70, 3, 1, 2",
    "lamps from Bergen",
    "(C) because of that",
    "True",
    REFERENCE,
)
SUITES = ("llama2-long", "leval", "longbench", "zeroscrolls", "zeroscrolls-rebuilt")
ASKED = {"asked": "loyalty", "position": 0}


def test_every_official_function_that_a_metric_names_is_one_of_the_golden_cases() -> None:
    assert {metric.official for _, metric in DECLARED} <= set(SCORES)
    assert len(DECLARED) >= 80


def test_every_task_of_these_suites_but_quality_is_scored_first_by_an_official_function() -> None:
    tasks = [task for task in TASKS.values() if task.suite in SUITES]
    own = {task.name for task in tasks for metric in task.metrics if metric.primary and not metric.official}
    assert (own, len(tasks)) == ({"quality"}, 44)


@pytest.mark.parametrize(
    ("task", "metric"),
    [pytest.param(*pair, id=f"{pair[0].name}-{pair[1].name}") for pair in DECLARED if pair[1].subset is None],
)
def test_a_value_is_the_declared_function_s_times_the_declared_scale(task: Task, metric: Metric) -> None:
    sample = Sample("s", Document("d", "text"), "?", (REFERENCE,), (REFERENCE, "oil"), gold=0, attributes=ASKED)
    score = next(protocol for protocol in task.protocols if not protocol.options).score
    for answer in ANSWERS:
        case = {"task": task.name, "prediction": answer, "references": [REFERENCE]}
        values, official = score(sample, Completion("", answer)).values, SCORES[metric.official](case)
        for name in metric.takes:
            assert values[name] == pytest.approx(metric.scale * _number(official, name), abs=1e-9), answer


def _number(official: Any, name: str) -> float:
    """A function gives a number, one for each ROUGE type, or the score and texts of an exam (sci_fi: two of each)."""
    if isinstance(official, dict):
        official = official[name if name in official else "score"]
    return float(official[0] if isinstance(official, list) else official)
