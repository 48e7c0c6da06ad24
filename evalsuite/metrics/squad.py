"""Token F1 and exact match between one prediction and one reference, as in SQuAD v1.1, on bags of tokens."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from evalsuite.metrics.normalise import normalise

Reference = TypeVar("Reference")


def bag_f1(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of two bags of tokens, 0 to 1.

    Without overlap it is 0, also when both bags are empty (unlike SQuAD v2.0, which gives 1).
    """
    shared = sum((Counter(prediction) & Counter(reference)).values())
    if not shared:
        return 0.0
    precision = shared / len(prediction)
    recall = shared / len(reference)
    return 2 * precision * recall / (precision + recall)


def token_f1(prediction: str, reference: str) -> float:
    """Token F1 of two texts after normalisation, 0 to 1."""
    return bag_f1(normalise(prediction).split(), normalise(reference).split())


def exact_match(prediction: str, reference: str) -> float:
    """1 when both texts are equal after normalisation (two empty texts are), else 0."""
    return float(normalise(prediction) == normalise(reference))


def best(score: Callable[[str, Reference], float], prediction: str, references: Sequence[Reference]) -> float:
    """The highest score of a prediction over its references.

    Raises:
        ValueError: there is no reference; a missing answer must not read as a score of 0.
    """
    if not references:
        raise ValueError("no reference to score against")
    return max(score(prediction, reference) for reference in references)
