"""A prompt as the model gets it, with marks for cut and evidence, safe for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.interfaces import Tokenizer
from evalsuite.prompts.fit import Fitted
from evalsuite.prompts.render import Rendered
from evalsuite.prompts.strategies import part_spans
from evalsuite.safe_text import plain_lines
from evalsuite.types import Role, Sample, Span

EVIDENCE = ("⟦evidence⟧", "⟦/evidence⟧")
ENDS = 1200
"""Characters that are shown at each end of a long text without marks."""


def show(
    sample: Sample, rendered: Rendered, fitted: Fitted | None, tokenizer: Tokenizer, *, full: bool = False
) -> Iterator[str]:
    """Lines: what was cut and kept, then the prompt.

    Args:
        sample: the sample of the prompt.
        rendered: the prompt before the cut.
        fitted: the prompt as sent; None if it is skipped because of its length.
        tokenizer: shows BOS and chat template as text.
        full: show the whole text, not only its ends and marks.
    """
    yield f"sample    {sample.id}, document {sample.document.id}, {len(sample.document.text):,} characters"
    if fitted is None:
        yield "prompt    skipped: longer than its budget"
        return
    cut = fitted.cut
    before = f"; {cut.tokens_before:,} before cutting" if cut.is_cut else ""
    yield f"tokens    {cut.tokens_kept:,} of a budget of {cut.budget:,} ({cut.bound}){before}"
    for removal in cut.removed:
        yield f"cut       {removal.role}: {removal.tokens:,} tokens, {removal.characters:,} characters ({cut.side})"
    if cut.evidence is not None:
        yield f"evidence  {cut.evidence} of {len(sample.evidence or ())} stretches survived"
    yield "-" * 80
    if cut.official:
        yield plain_lines(_shorten(tokenizer.decode(fitted.ids), full=full))
        return
    head, tail = (tokenizer.decode(ids) for ids in (rendered.frame.head, rendered.frame.tail))
    yield plain_lines(head + _marked(sample, rendered, fitted, full=full) + tail)


def _marked(sample: Sample, rendered: Rendered, fitted: Fitted, *, full: bool) -> str:
    """The prompt's own text with evidence in brackets and a mark where text was removed."""
    text = "".join(part.text for part in rendered.parts)
    removed = fitted.removed or Span(len(text), len(text))
    marks = sorted(_marks(sample, rendered, removed), key=lambda mark: mark[0])
    if fitted.removed is not None:
        said = f"⟦cut: {sum(r.tokens for r in fitted.cut.removed):,} tokens⟧"
        marks = sorted([*marks, (removed.start, said)], key=lambda mark: mark[0])
    shown: list[str] = []
    at = 0
    for place, mark in marks:
        shown.append(_piece(text, at, place, removed, full=full) + mark)
        at = place
    shown.append(_piece(text, at, len(text), removed, full=full))
    return "".join(shown)


def _marks(sample: Sample, rendered: Rendered, removed: Span) -> Iterator[tuple[int, str]]:
    spans = zip(rendered.parts, part_spans(rendered.parts), strict=True)
    start = next((span.start for part, span in spans if part.role is Role.DOCUMENT), 0)
    for span in sample.evidence or ():
        for place, mark in zip((start + span.start, start + span.end), EVIDENCE, strict=True):
            if not removed.start < place < removed.end:
                yield place, mark


def _piece(text: str, start: int, end: int, removed: Span, *, full: bool) -> str:
    left = text[start : max(start, min(end, removed.start))]
    right = text[min(end, max(start, removed.end)) : end]
    return _shorten(left + right, full=full)


def _shorten(text: str, *, full: bool) -> str:
    if full or len(text) <= 2 * ENDS:
        return text
    return f"{text[:ENDS]}\n⟦... {len(text) - 2 * ENDS:,} characters not shown (--full shows them) ...⟧\n{text[-ENDS:]}"
