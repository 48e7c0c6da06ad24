"""LongBench's metrics for English and code (Bai et al. 2023; THUDM/LongBench, metrics.py and eval.py@2e00731).

Values are 0 to 1. ROUGE-L is in `longbench_rouge`. The Chinese variants need a word segmenter and are left out.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from evalsuite.metrics import squad
from evalsuite.metrics.longbench_rouge import rouge_l

FIRST_LINE_ONLY = frozenset({"trec", "triviaqa", "samsum", "lsht"})
"""Data sets of which only the first line of the prediction is scored."""

_NUMBER = re.compile(r"\d+")
_PARAGRAPH = re.compile(r"Paragraph (\d+)")
_NOT_CODE = ("`", "#", "//")


def qa_f1_score(prediction: str, references: Sequence[str]) -> float:
    """Token F1, best of the references."""
    return squad.best(squad.token_f1, prediction, references)


def rouge_score(prediction: str, references: Sequence[str]) -> float:
    """ROUGE-L as the PyPI package `rouge` computes it, best of the references."""
    return squad.best(rouge_l, prediction, references)


def classification_score(prediction: str, references: Sequence[str], all_classes: Sequence[str]) -> float:
    """1 / (number of class names found in the prediction) when the gold class is among them, else 0.

    Names contained in the gold class do not count against it, but see `_named_classes`.
    """

    def score(prediction: str, reference: str) -> float:
        found = _named_classes(prediction, reference, all_classes)
        return 1.0 / len(found) if reference in found else 0.0

    return squad.best(score, prediction, references)


def retrieval_score(prediction: str, references: Sequence[str]) -> float | None:
    """Share of the numbers in the prediction that are the number of the gold `Paragraph N`.

    None when a reference names no paragraph.
    """
    golds = [_PARAGRAPH.search(reference) for reference in references]
    if None in golds:
        return None
    return count_score(prediction, [gold[1] for gold in golds if gold])


def count_score(prediction: str, references: Sequence[str]) -> float:
    """Share of the numbers in the prediction that are written as the reference is (`07` is not `7`)."""
    return squad.best(_share_of_numbers, prediction, references)


def code_sim_score(prediction: str, references: Sequence[str]) -> float:
    """Similarity of the first line of code with the reference, in hundredths.

    Equal to fuzzywuzzy 0.18's `ratio` without python-Levenshtein, that is difflib's ratio rounded to a percentage.
    """
    return squad.best(_code_similarity, prediction, references)


def scored_part(dataset: str, prediction: str) -> str:
    """What of a prediction is scored: its first line for `FIRST_LINE_ONLY`, else all of it."""
    return prediction.lstrip("\n").split("\n")[0] if dataset in FIRST_LINE_ONLY else prediction


def _share_of_numbers(prediction: str, reference: str) -> float:
    numbers = _NUMBER.findall(prediction)
    return numbers.count(reference) / len(numbers) if numbers else 0.0


def _named_classes(prediction: str, reference: str, all_classes: Sequence[str]) -> list[str]:
    """Class names in the prediction, less those that are part of the gold name.

    The official loop removes from the list it walks, so the name after a removed one is never looked at and stays.
    """
    found = [name for name in all_classes if name in prediction]
    place = 0
    while place < len(found):
        name = found[place]
        if name in reference and name != reference:
            found.remove(name)
        place += 1
    return found


def _code_similarity(prediction: str, reference: str) -> float:
    lines = prediction.lstrip("\n").split("\n")
    code = next((line for line in lines if not any(mark in line for mark in _NOT_CODE)), "")
    return round(100 * SequenceMatcher(None, code, reference).ratio()) / 100
