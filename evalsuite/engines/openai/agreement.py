"""Whether a server's text is the text of the token ids it gave: where it is not, the tokenizer is another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalsuite.engines._generated import REPLACEMENT
from evalsuite.protocols import Tokenizer


def agree(text: str, ids: Sequence[int], stop: Sequence[str], tokenizer: Tokenizer) -> bool:
    """Whether a text can be that of the ids.

    Servers differ in blanks (the one before the first word, those a clean-up takes), in the bytes of a character that
    is not whole, in whether special tokens are spelled, and in whether the text ends before or behind a stop string.
    None of that is a contradiction.
    """
    said = _bare(text)
    for skip in (True, False):
        whole = tokenizer.decode(ids, skip_special_tokens=skip)
        if _bare(whole).startswith(said) and any(said == _bare(whole[:end]) for end in _ends(whole, stop)):
            return True
    return False


def _ends(text: str, stop: Sequence[str]) -> Iterator[int]:
    """Where a server may have ended the text."""
    yield len(text)
    for string in stop:
        at = text.find(string) if string else -1
        while at >= 0:
            yield at
            yield at + len(string)
            at = text.find(string, at + 1)


def _bare(text: str) -> str:
    return "".join(text.replace(REPLACEMENT, "").split())
