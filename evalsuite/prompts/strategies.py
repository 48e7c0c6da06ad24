"""The cut strategies, in one table. ``--help`` reads this module, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from evalsuite.types import Parts, Span

Side: TypeAlias = Literal["left", "right", "middle"]


class Strategy(NamedTuple):
    """The text that may be cut, and the side to cut from."""

    cuttable: Callable[[Parts], Span]
    """Gives the part of the prompt's text that may be cut, in characters."""
    side: Side | None
    """The side of this part that tokens are removed from; None if this package cuts nothing."""


def before_the_question(parts: Parts) -> Span:
    """Everything before the question, with demonstrations and instruction. Without a question: before the answer."""
    from evalsuite.types import Role, Span

    for role in (Role.QUESTION, Role.RESPONSE):
        for part, span in zip(parts, part_spans(parts), strict=True):
            if part.role is role:
                return Span(0, span.start)
    return Span(0, the_document(parts).end)


def the_document(parts: Parts) -> Span:
    """The document that is asked about, and nothing else."""
    from evalsuite.types import Role, Span

    found = [span for part, span in zip(parts, part_spans(parts), strict=True) if part.role is Role.DOCUMENT]
    return Span(found[0].start, found[-1].end) if found else Span(0, 0)


STRATEGIES: dict[str, Strategy] = {
    "left": Strategy(before_the_question, "left"),
    "document-left": Strategy(the_document, "left"),
    "document-right": Strategy(the_document, "right"),
    "document-middle": Strategy(the_document, "middle"),
    "skip": Strategy(the_document, None),  # the sample is counted as skipped
    "error": Strategy(the_document, None),  # the run is refused
    "official": Strategy(the_document, None),  # the benchmark's own rule cuts
}
"""The strategy of each name of ``--strategy``. A new strategy that cuts is one entry here."""


def part_spans(parts: Parts) -> tuple[Span, ...]:
    """The place of each part in the prompt's text."""
    from evalsuite.types import Span

    spans: list[Span] = []
    start = 0
    for part in parts:
        spans.append(Span(start, start + len(part.text)))
        start += len(part.text)
    return tuple(spans)
