"""When a computed value agrees with a golden one: the tolerances of the golden data, and nothing looser."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from evalsuite.fidelity.cases import golden_prompts
from evalsuite.fidelity.corpora import CORPORA

_UNIT_SCALE = ("qasper.", "longbench.")
_UNIT, _PERCENT, _CORPUS, _LONGBENCH_CORPUS = 1e-9, 1e-7, 1e-4, 1e-2
_ROUNDING = 1e-12  # a difference of exactly the tolerance, seen through binary fractions

_OPTIONAL = (  # may be left out of a value; compared where present
    "rougeLsum",
    "rouge/rougeLsum",
    "processed_prediction",
    "processed_reference",
    "display",
    "display_keys",
    "mean_prediction_length_characters",
)


def tolerance(metric: str) -> float:
    """Largest absolute difference that still agrees, on the metric's own scale."""
    if metric in CORPORA:
        return _LONGBENCH_CORPUS if metric == "longbench.scorer" else _CORPUS
    return _UNIT if metric.startswith(_UNIT_SCALE) else _PERCENT


def raises(expected: Any) -> bool:
    """Whether the official code raises for this case."""
    return isinstance(expected, dict) and "error" in expected


def agrees(metric: str, value: Any, expected: Any) -> bool:
    """Whether a value agrees with the golden one, or is the documented choice where the official code raises."""
    if any(metric == prompts.metric for prompts in golden_prompts().values()):
        from evalsuite.fidelity.prompts import prompt_agrees

        return prompt_agrees(expected, value)
    if raises(expected):
        choice = DOCUMENTED.get((metric, expected["error"]))
        return choice is not None and choice(value)
    return _same(value, expected, tolerance(metric))


def _same(value: Any, expected: Any, within: float) -> bool:
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(
            _same(value[key], wanted, within) if key in value else key in _OPTIONAL for key, wanted in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(value, list)
            and len(value) == len(expected)
            and all(_same(one, wanted, within) for one, wanted in zip(value, expected, strict=True))
        )
    if _is_number(expected):
        return _is_number(value) and math.isclose(value, expected, rel_tol=0, abs_tol=within + _ROUNDING)
    return type(value) is type(expected) and bool(value == expected)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_value(value: Any) -> bool:
    return value is None


def _no_mean(value: Any) -> bool:
    return isinstance(value, dict) and value["Answer F1"] is None


def _fact_is_wrong(value: Any) -> bool:
    return isinstance(value, dict) and value["score"][1] == 0


DOCUMENTED: Mapping[tuple[str, str], Callable[[Any], bool]] = {
    ("zero_scrolls.accuracy", "AssertionError"): _no_value,
    ("zero_scrolls.exp_similarity", "ValueError"): _no_value,
    ("zero_scrolls.concordance_index", "ZeroDivisionError"): _no_value,
    ("qasper.evaluate", "KeyError"): _no_mean,
    ("leval.exam", "IndexError"): _fact_is_wrong,
}
"""(metric, official exception) -> whether a value is the choice that `evalsuite.metrics.deviations` documents."""
