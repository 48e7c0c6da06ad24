"""ROUGE-1, ROUGE-2 and ROUGE-L with the tokeniser and the arithmetic of rouge-score 0.1.2.

Every float equals that of `rouge_score.rouge_scorer.RougeScorer`. The longest common subsequence comes from
rapidfuzz's bit-parallel algorithm instead of a table in Python, and a reference is tokenised once.
Source of the definitions: Lin 2004, "ROUGE: a package for automatic evaluation of summaries".
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TypeVar

TYPES = ("rouge1", "rouge2", "rougeL")

Gram = TypeVar("Gram", str, tuple[str, str])

_TOKEN = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Precision, recall and F-measure of one ROUGE type, each 0 to 1."""

    precision: float
    recall: float
    fmeasure: float


@dataclass(frozen=True, slots=True)
class Rouge:
    """The three ROUGE types of one prediction against one reference."""

    rouge1: Overlap
    rouge2: Overlap
    rougeL: Overlap  # noqa: N815 - the name under which every paper and scorer reports it


@dataclass(frozen=True, slots=True)
class _Text:
    """A tokenised text with its n-gram bags."""

    tokens: tuple[str, ...]
    unigrams: Counter[str]
    bigrams: Counter[tuple[str, str]]


def rouge(prediction: str, reference: str, *, use_stemmer: bool = False) -> Rouge:
    """ROUGE-1, -2 and -L of a prediction against one reference.

    Args:
        prediction: the text to score.
        reference: the text to compare with; kept tokenised for the next predictions.
        use_stemmer: reduce words of more than three letters to their Porter stem first (with rouge-score's tokeniser).
    """
    ours, theirs = _analyse(prediction, use_stemmer=use_stemmer), _reference(reference, use_stemmer)
    lengths = len(theirs.tokens), len(ours.tokens)
    return Rouge(
        rouge1=_overlap(_shared(ours.unigrams, theirs.unigrams), *lengths),
        rouge2=_overlap(_shared(ours.bigrams, theirs.bigrams), *(max(n - 1, 0) for n in lengths)),
        rougeL=_overlap(_common_subsequence(ours.tokens, theirs.tokens), *lengths),
    )


def best_rouge(prediction: str, references: Sequence[str], *, use_stemmer: bool = False) -> dict[str, float]:
    """F-measures x 100 by type, each the maximum over the references (the best one may differ between types).

    Raises:
        ValueError: there is no reference.
    """
    if not references:
        raise ValueError("no reference to score against")
    scores = [rouge(prediction, reference, use_stemmer=use_stemmer) for reference in references]
    return {kind: max(getattr(score, kind).fmeasure * 100 for score in scores) for kind in TYPES}


def tokenise(text: str, *, use_stemmer: bool = False) -> tuple[str, ...]:
    """The runs of ASCII letters and digits of the lower-cased text; everything else separates (`café` gives `caf`).

    With stems the tokeniser is rouge-score's own; without, the same tokens come from one regular expression, so that
    scoring need not wait for rouge-score's imports.
    """
    if not use_stemmer:
        return tuple(_TOKEN.findall(text.lower()))
    from rouge_score import tokenize

    return tuple(tokenize.tokenize(text, _CachedStemmer()))


class _CachedStemmer:
    """Porter's stemmer as rouge-score uses it, each word once."""

    def stem(self, word: str) -> str:
        return _stem(word)


def _analyse(text: str, *, use_stemmer: bool) -> _Text:
    tokens = tokenise(text, use_stemmer=use_stemmer)
    return _Text(tokens, Counter(tokens), Counter(pairwise(tokens)))


@lru_cache(maxsize=256)
def _reference(text: str, use_stemmer: bool) -> _Text:  # noqa: FBT001 - lru_cache keys are positional
    return _analyse(text, use_stemmer=use_stemmer)


def _shared(first: Counter[Gram], second: Counter[Gram]) -> int:
    # Half the time of `(first & second).total()`.
    return sum(min(first[gram], second[gram]) for gram in first.keys() & second.keys())


def _overlap(shared: int, in_reference: int, in_prediction: int) -> Overlap:
    precision = shared / max(in_prediction, 1)
    recall = shared / max(in_reference, 1)
    total = precision + recall
    return Overlap(precision, recall, 2 * precision * recall / total if total > 0 else 0.0)


def _common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence of two token sequences."""
    from rapidfuzz.distance import LCSseq

    # One character per distinct token: rapidfuzz would compare hashes of longer items, which may collide.
    letters: dict[str, str] = {}
    return LCSseq.similarity(_spell(first, letters), _spell(second, letters))


def _spell(tokens: Iterable[str], letters: dict[str, str]) -> str:
    return "".join([letters.setdefault(token, chr(len(letters))) for token in tokens])


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return str(_stemmer().stem(word))


@cache
def _stemmer():  # type: ignore[no-untyped-def]  # nltk ships no types  # noqa: ANN202
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
