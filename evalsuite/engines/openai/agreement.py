"""Whether a server's text is the text of the token ids it gave: where it is not, the tokenizer is another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.engines._generated import REPLACEMENT
from evalsuite.interfaces import Tokenizer


def agree(text: str, ids: Sequence[int], stop: Sequence[str], tokenizer: Tokenizer) -> bool:
    """Whether a text can be that of the ids.

    Servers differ in blanks (the one before the first word, those a clean-up takes), in what they make of bytes that
    are no character, in whether special tokens are spelled, and in whether the text ends before or behind a stop
    string. None of that is a contradiction.
    """
    wholes = [tokenizer.decode(ids, skip_special_tokens=skip) for skip in (True, False)]
    return any(_ends_so(text, whole, stop) or _breaks_so(text, whole) for whole in wholes)


def _ends_so(text: str, whole: str, stop: Sequence[str]) -> bool:
    said = _bare(text)
    return _bare(whole).startswith(said) and any(said == _bare(whole[:end]) for end in _ends(whole, stop))


def _breaks_so(text: str, whole: str) -> bool:
    """Whether both are the same up to bytes that are no character, behind which servers go on in different ways."""
    if REPLACEMENT not in whole:
        return False
    sides = sorted((_bare(side.partition(REPLACEMENT)[0]) for side in (text, whole)), key=len)
    return sides[1].startswith(sides[0])


def _ends(text: str, stop: Sequence[str]) -> Iterator[int]:
    """Where a server may have ended the text."""
    yield len(text)
    for string in filter(None, stop):
        at = text.find(string)
        while at >= 0:
            yield from (at, at + len(string))
            at = text.find(string, at + 1)


def _bare(text: str) -> str:
    return "".join(text.replace(REPLACEMENT, "").split())
