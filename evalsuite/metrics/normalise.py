"""Text normalisation of the SQuAD v1.1 evaluation script, which most question-answering scorers share."""

import re
import string

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def without_punctuation_and_articles(text: str) -> str:
    """Delete ASCII punctuation, blank out lower-case articles and collapse white space; case is kept.

    Punctuation is deleted, not replaced: `well-known` becomes `wellknown`. Curly quotes and long dashes stay.
    """
    return " ".join(_ARTICLES.sub(" ", text.translate(_NO_PUNCTUATION)).split())


def normalise(text: str) -> str:
    """Lower-case `text`, then delete punctuation and articles and collapse white space.

    Source: Rajpurkar et al. 2016, evaluate-v1.1.py, as carried by SCROLLS, Qasper, LongBench and L-Eval.
    """
    return without_punctuation_and_articles(text.lower())
