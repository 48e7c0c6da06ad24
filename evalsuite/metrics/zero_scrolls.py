"""The ZeroSCROLLS metrics (Shaham et al. 2023; dataset tau/zero_scrolls, metrics/@ee3ae9f). Values 0 to 100.

A value of None means that the reference is faulty: the official code raises there (see `deviations`).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from evalsuite.metrics import squad
from evalsuite.metrics.ascii_text import ascii_text
from evalsuite.metrics.normalise import normalise
from evalsuite.metrics.rouge import best_rouge

METRIC_OF: Mapping[str, str] = {
    "gov_report": "rouge",
    "summ_screen_fd": "rouge",
    "qmsum": "rouge",
    "squality": "rouge",
    "qasper": "f1",
    "narrative_qa": "f1",
    "musique": "f1",
    "quality": "accuracy",
    "space_digest": "exp_similarity",
    "book_sum_sort": "concordance_index",
}
"""The official metric of each data set."""

_LETTER = re.compile(r"\b[A-D]\b")
_PERCENTAGE = re.compile(r"(?<!\d)(\d++(?:\.\d*+)?+)%")
"""Finds first what the official expression does, whose time grows with the cube of a number's length."""
_LONGEST_ID = 18
_NOT_IN_A_PERMUTATION = re.compile(r"[^0-9\s,]")


def f1(prediction: str, references: Sequence[str]) -> float:
    """Token F1 x 100 of the normalised texts written in ASCII, best of the references."""
    return 100 * squad.best(_ascii_f1, prediction, references)


def accuracy(prediction: str, references: Sequence[str]) -> float | None:
    """100 when the first letter A to D that stands alone is that of a reference.

    No such letter in the prediction gives 0, none in the reference None.
    """
    return _best(_same_letter, prediction, references)


def exp_similarity(prediction: str, references: Sequence[str]) -> float | None:
    """100 x 0.5 ** (difference of the first percentages / 10).

    A prediction without a number directly before a `%` gives 0, such a reference None.
    """
    return _best(_percentage_similarity, prediction, references)


def concordance_index(prediction: str, references: Sequence[str]) -> float | None:
    """Share of pairs of ids that stand in the reference's order, x 100.

    Ids that are not exactly those of the reference give 0; a reference without a pair gives None.
    """
    return _best(_share_of_ordered_pairs, prediction, references)


def rouge(prediction: str, references: Sequence[str]) -> dict[str, float]:
    """ROUGE-1/2/L F-measures x 100 without stemming, best reference for each type."""
    return best_rouge(prediction, references)


def answer_letter(text: str) -> str | None:
    """The first letter A to D that stands alone as a word, or None (the article `A` counts, as officially)."""
    found = _LETTER.search(text)
    return found[0] if found else None


def percentage(text: str) -> float | None:
    """The first number directly before a `%`, or None (`.5%` reads as 5, `-20%` as 20, as officially)."""
    found = _PERCENTAGE.search(text)
    return float(found[1]) if found else None


def ids(text: str) -> list[int]:
    """The numbers of a text in order, every character but ASCII digits, white space and commas deleted first.

    A number of more than ``_LONGEST_ID`` digits is no id (Python would refuse thousands of them): it reads as -1.
    """
    numbers = _NOT_IN_A_PERMUTATION.sub("", text).replace(",", " ").split()
    return [int(number) if len(number) <= _LONGEST_ID else -1 for number in numbers]


def _best(score: Callable[[str, str], float | None], prediction: str, references: Sequence[str]) -> float | None:
    if not references:
        raise ValueError("no reference to score against")
    values = [value for reference in references if (value := score(prediction, reference)) is not None]
    return 100 * max(values) if len(values) == len(references) else None


def _ascii_f1(prediction: str, reference: str) -> float:
    return squad.bag_f1(ascii_text(normalise(prediction)).split(), ascii_text(normalise(reference)).split())


def _same_letter(prediction: str, reference: str) -> float | None:
    gold = answer_letter(reference)
    return None if gold is None else float(answer_letter(prediction) == gold)


def _percentage_similarity(prediction: str, reference: str) -> float | None:
    gold, guess = percentage(reference), percentage(prediction)
    if gold is None or not math.isfinite(gold):
        return None
    return 0.0 if guess is None else 0.5 ** (abs(gold - guess) / 10)


def _share_of_ordered_pairs(prediction: str, reference: str) -> float | None:
    guess, gold = ids(prediction), ids(reference)
    if sorted(guess) != sorted(gold):
        return 0.0
    position = {number: place for place, number in enumerate(guess)}
    pairs = list(combinations(dict.fromkeys(gold), 2))
    if not pairs:
        return None
    return sum(position[first] < position[second] for first, second in pairs) / len(pairs)
