"""The SCROLLS metric (Shaham et al. 2022; dataset tau/scrolls, metrics/scrolls.py@6626d47). Values 0 to 100."""

from collections.abc import Mapping, Sequence

from evalsuite.metrics import squad
from evalsuite.metrics.rouge import best_rouge

METRIC_OF: Mapping[str, str] = {
    "gov_report": "rouge",
    "summ_screen_fd": "rouge",
    "qmsum": "rouge",
    "narrative_qa": "f1",
    "qasper": "f1",
    "quality": "exact_match",
    "quality_hard": "exact_match",
    "contract_nli": "exact_match",
}
"""The official metric of each data set."""


def f1(prediction: str, references: Sequence[str]) -> float:
    """Token F1 x 100, best of the references."""
    return 100 * squad.best(squad.token_f1, prediction, references)


def exact_match(prediction: str, references: Sequence[str]) -> float:
    """100 when the prediction equals a reference after normalisation, else 0."""
    return 100 * squad.best(squad.exact_match, prediction, references)


def rouge(prediction: str, references: Sequence[str]) -> dict[str, float]:
    """ROUGE-1/2/L F-measures x 100 without stemming, best reference for each type."""
    return best_rouge(prediction, references)
