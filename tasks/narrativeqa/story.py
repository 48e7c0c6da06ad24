"""Cuts a story's file to the story itself, whose first and last words NarrativeQA gives as separate tokens."""

from __future__ import annotations

import re

_QUOTES = {"``": ("``", '"', "\N{LEFT DOUBLE QUOTATION MARK}"), "''": ("''", '"', "\N{RIGHT DOUBLE QUOTATION MARK}")}
"""How a tokenizer writes quotation marks, and what stood in the text."""


def cut(text: str, start: str, end: str) -> str | None:
    """The story from the first occurrence of its start to the last of its end, both included.

    The end is mostly the last words of Project Gutenberg's licence, so the licence stays in, as it does officially.

    Args:
        text: the file as downloaded.
        start: the story's first tokens, separated by blanks (``story_start`` of documents.csv).
        end: its last tokens (``story_end``).

    Returns:
        The story, or None where start or end does not occur in that order.
    """
    first = _pattern(start).search(text)
    last = None if first is None else _last(_pattern(end), text, first.start())
    return None if first is None or last is None else text[first.start() : last]


def _last(pattern: re.Pattern[str], text: str, start: int) -> int | None:
    ends = [found.end() for found in pattern.finditer(text, start)]
    return ends[-1] if ends else None


def _pattern(tokens: str) -> re.Pattern[str]:
    """The tokens' characters with any white space, or none, between them."""
    return re.compile(r"\s*".join(_token(token) for token in tokens.split()))


def _token(token: str) -> str:
    if token in _QUOTES:
        return "(?:" + "|".join(map(re.escape, _QUOTES[token])) + ")"
    return r"\s*".join(re.escape(character) for character in token)
