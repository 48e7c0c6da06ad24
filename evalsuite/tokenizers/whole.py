"""Joined texts for tokenizers that keep nothing: the whole text is encoded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property

from evalsuite.interfaces import Encoding
from evalsuite.types import Span


class WholeText:
    """``JoinedText`` for any tokenizer."""

    def __init__(self, text: str, encode: Callable[[str], Encoding]) -> None:
        self._text, self._encode = text, encode

    @cached_property
    def _encoding(self) -> Encoding:
        return self._encode(self._text)

    def __len__(self) -> int:
        return len(self._encoding.ids)

    @property
    def ids(self) -> tuple[int, ...]:
        """All token ids."""
        return self._encoding.ids

    def start(self, index: int) -> int:
        """The character at which a token starts, by the position of the token."""
        return self._encoding.offsets[index][0]

    def before(self, character: int) -> int:
        """How many tokens start before a character."""
        return bisect_left(self._encoding.offsets, (character,))

    def without(self, removed: Span) -> WholeText:
        """The text without a part of it."""
        return WholeText(self._text[: removed.start] + self._text[removed.end :], self._encode)
