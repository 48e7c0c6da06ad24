"""ROUGE-L as the PyPI package `rouge` 1.0.1 computes it: another definition than rouge-score's.

Sentences are split at full stops and words at white space, case and punctuation stay; for each reference sentence the
common subsequences with all predicted sentences are united *as sets of words*; F = 2PR / (P + R + 1e-8).
"""

from collections.abc import Sequence

_EPSILON = 1e-8


def rouge_l(prediction: str, reference: str) -> float:
    """Summary-level ROUGE-L F-measure, 0 to 1 (0.999999995 for equal texts).

    0 where either text is empty or made of full stops only. Long sentences are scored: the package runs out of stack
    at about a thousand words and LongBench then counts 0 (see `deviations`).
    """
    ours, theirs = _sentences(prediction), _sentences(reference)
    if not ours or not theirs:
        return 0.0
    shared: set[str] = set()
    for sentence in theirs:
        for other in ours:
            shared.update(_common_words(sentence, other))
    precision, recall = len(shared) / _vocabulary(ours), len(shared) / _vocabulary(theirs)
    return 2.0 * (precision * recall / (precision + recall + _EPSILON))


def _sentences(text: str) -> list[list[str]]:
    # A sentence of blanks is one empty word, as in the package.
    return [" ".join(sentence.split()).split(" ") for sentence in text.split(".") if sentence]


def _vocabulary(sentences: Sequence[Sequence[str]]) -> int:
    return len({word for sentence in sentences for word in sentence})


def _common_words(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Words of the longest common subsequence that the package's walk back through its table finds.

    The choice among several longest ones matters. Row i of the table is held as bits (Hyyrö 2004): bit j is 0 where
    the length grows at word j of `second`, so a cell is a count of zeros.
    """
    rows = _rows(first, second)
    words, i, j = [], len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            words.append(first[i])
        elif _cell(rows[i - 1], j) > _cell(rows[i], j - 1):
            i -= 1
        else:
            j -= 1
    return words


def _rows(first: Sequence[str], second: Sequence[str]) -> list[int]:
    places: dict[str, int] = {}
    for place, word in enumerate(second):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(second)) - 1
    rows = [full]
    for word in first:
        row = rows[-1]
        matches = row & places.get(word, 0)
        rows.append((row + matches | row - matches) & full)
    return rows


def _cell(row: int, width: int) -> int:
    return width - (row & (1 << width) - 1).bit_count()
