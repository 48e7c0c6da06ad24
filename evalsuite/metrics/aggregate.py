"""ROUGE over a data set, as SCROLLS, ZeroSCROLLS and L-Eval have it."""

from collections.abc import Mapping

from evalsuite.metrics.rouge import TYPES
from evalsuite.task import Metric

GEOMETRIC = "rouge_geo"
"""The geometric mean of the three ROUGE means."""


def geometric_mean(rouge1: float, rouge2: float, rouge_l: float) -> float:
    """Cube root of the product of the three ROUGE means; one zero makes it 0.

    Taken of the means over the data set, not per sample: Shaham et al. 2022 (SCROLLS), metrics/scrolls.py@6626d47.
    """
    return float((rouge1 * rouge2 * rouge_l) ** (1.0 / 3.0))


def geometric_mean_of(values: Mapping[str, float]) -> float:
    """The same of the values by ROUGE type: the means of a data set, or the values of one sample."""
    return geometric_mean(*(values[kind] for kind in TYPES))


def rouge_metrics(official: str, primary: str = GEOMETRIC) -> tuple[Metric, ...]:
    """ROUGE-1, -2, -L and the geometric mean of their means, the primary one first.

    Args:
        official: golden name of the function that gives a sample's three values.
        primary: the name of one of the four.
    """
    types = (Metric(kind, primary=kind == primary, official=official) for kind in TYPES)
    derived = Metric(GEOMETRIC, primary == GEOMETRIC, official, of=TYPES, combine=geometric_mean_of)
    return tuple(sorted((*types, derived), key=lambda metric: not metric.primary))
