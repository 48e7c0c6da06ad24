"""From the scores of samples to the score of a corpus, as the official `compute` functions do it."""

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.metrics.rouge import TYPES

Value = float | Mapping[str, float]


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean.

    Raises:
        ValueError: there is nothing to average.
    """
    if not values:
        raise ValueError("no values to average")
    return sum(values) / len(values)


def geometric_mean(rouge1: float, rouge2: float, rouge_l: float) -> float:
    """Cube root of the product of the three ROUGE means; one zero makes it 0.

    Taken of the means over the data set, not per sample: Shaham et al. 2022 (SCROLLS), metrics/scrolls.py@6626d47.
    """
    return float((rouge1 * rouge2 * rouge_l) ** (1.0 / 3.0))


def rouge_means(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each ROUGE type over samples, and `geometric_mean` of the three means."""
    means = {kind: mean([value[kind] for value in values]) for kind in TYPES}
    return {**means, "geometric_mean": geometric_mean(*means.values())}


def corpus(metric: str, values: Sequence[Any], score_name: str) -> dict[str, float]:
    """The dictionary that SCROLLS, ZeroSCROLLS and L-Eval print for one data set, rounded to 4 places.

    Args:
        metric: name of the metric; under `rouge` the values are mappings by ROUGE type.
        values: one value a sample, 0 to 100.
        score_name: key of the score that stands for the data set (the geometric mean for ROUGE).
    """
    if metric == "rouge":
        scores = {f"rouge/{kind}": value for kind, value in rouge_means(values).items()}
    else:
        scores = {metric: mean(values)}
    rounded = {key: round(value, 4) for key, value in scores.items()}
    return {**rounded, "num_predicted": len(values), score_name: list(rounded.values())[-1]}
