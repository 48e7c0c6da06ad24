"""Fitting as it is defined, without any shortcut: every text is encoded whole, every token counted one by one."""

from __future__ import annotations

from evalsuite.interfaces import Encoding, Tokenizer
from evalsuite.types import Parts, Removal, Role, Span


def reference(
    parts: Parts, budget: int, strategy: str, tokenizer: Tokenizer, aligned: Span | None = None
) -> tuple[tuple[int, ...], int, Span | None, tuple[Removal, ...]]:
    """Ids of the prompt's own text, tokens before cutting, the stretch removed, and what each part lost.

    Args:
        parts: the prompt.
        budget: most tokens of its own text.
        strategy: one that cuts.
        tokenizer: the model's.
        aligned: a stretch to remove if that is enough.
    """
    text = "".join(part.text for part in parts)
    encoding = tokenizer.encode_literal(text)
    before = len(encoding.ids)
    if before <= budget and aligned is None:
        return encoding.ids, before, None, ()
    region = _region(parts, strategy)
    excess = before - budget
    removed = aligned or _stretch(encoding, region, strategy, excess)
    while True:
        kept = tokenizer.encode_literal(text[: removed.start] + text[removed.end :]).ids
        if len(kept) <= budget or removed == region:
            return kept, before, removed, _lost(parts, encoding, removed)
        excess = max(excess, 0) + len(kept) - budget
        removed = _stretch(encoding, region, strategy, excess)


def _stretch(encoding: Encoding, region: Span, strategy: str, excess: int) -> Span:
    starts = [start for start, _ in encoding.offsets if region.start <= start < region.end]
    if excess >= len(starts):
        return region
    if strategy == "document-right":
        return Span(starts[len(starts) - excess], region.end)
    if strategy == "document-middle":
        head = (len(starts) - excess) // 2
        return Span(starts[head], starts[head + excess])
    return Span(region.start, starts[excess])


def _region(parts: Parts, strategy: str) -> Span:
    start = end = at = 0
    for part in parts:
        if part.role is Role.DOCUMENT:
            start, end = at, at + len(part.text)
        at += len(part.text)
    return Span(0 if strategy == "left" else start, end)


def _lost(parts: Parts, encoding: Encoding, removed: Span) -> tuple[Removal, ...]:
    lost: list[Removal] = []
    at = 0
    for part in parts:
        start, end = max(at, removed.start), min(at + len(part.text), removed.end)
        if start < end:
            lost.append(Removal(part.role, sum(start <= first < end for first, _ in encoding.offsets), end - start))
        at += len(part.text)
    return tuple(lost)
