"""Makes the text of an answer from generated token ids, in the same way for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.interfaces import Tokenizer

REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer as it is recorded."""

    text: str
    """The text without special tokens, up to the stop string."""
    ids: tuple[int, ...]
    """As generated, the end token included, or up to the token that completed a stop string."""
    finish: Literal["stop", "eos", "length"] | None
    stopped: bool = False
    """Whether a stop string was found in the text."""


def generated(
    ids: Sequence[int],
    finish: Literal["stop", "eos", "length"] | None,
    stop: Sequence[str],
    tokenizer: Tokenizer,
) -> Generated:
    """The answer in the ids that an engine generated.

    Engines search for stop strings in different ways, some one token late. The search here makes ids and text the same
    for all engines.
    """
    kept = tuple(ids)
    text = tokenizer.decode(kept, skip_special_tokens=True)
    at = first_stop(text, stop)
    if at is None:
        # Where the limit fell inside a character its first bytes are no text.
        return Generated(text.rstrip(REPLACEMENT) if finish == "length" else text, kept, finish)
    return Generated(text[:at], kept[: _tokens_until_stop(kept, stop, tokenizer)], "stop", stopped=True)


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """The start of the first stop string; None without one."""
    found = [at for string in stop if string and (at := text.find(string)) >= 0]
    return min(found, default=None)


def _tokens_until_stop(ids: Sequence[int], stop: Sequence[str], tokenizer: Tokenizer) -> int:
    """Tokens up to the one with which a stop string is complete."""
    low, high = 1, len(ids)
    while low < high:
        middle = (low + high) // 2
        if first_stop(tokenizer.decode(ids[:middle], skip_special_tokens=True), stop) is None:
            low = middle + 1
        else:
            high = middle
    return low
