"""Cuts a prompt to its token budget, and records what was removed.

A cut is made at a token border of the original text. The shortened text is encoded and counted again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from evalsuite.errors import UsageError
from evalsuite.interfaces import JoinedText, Tokenizer
from evalsuite.prompts.chat import Frame, framed
from evalsuite.prompts.strategies import STRATEGIES, Side, part_spans
from evalsuite.types import Cut, EvidenceFate, Parts, Removal, Role, Sample, Span


@dataclass(frozen=True, slots=True)
class Budget:
    """The largest number of tokens of a whole prompt, and the limit that gave it."""

    tokens: int
    bound: Literal["model", "cap"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt within its budget."""

    ids: tuple[int, ...]
    cut: Cut
    text: str
    """The prompt's own text as sent, without BOS and chat template; empty for an official rule."""
    removed: Span | None
    """The part of the prompt's own text that was cut, in characters."""


def prompt_budget(
    model_max: int | None, cap: int | None, answer: int, *, limit_includes_generation: bool = False
) -> Budget:
    """``min(model maximum - answer, cap)``. For some protocols the answer is subtracted from the cap, too.

    Args:
        model_max: the model's maximum of prompt and answer; None if unknown.
        cap: the cap; None without one.
        answer: room for the answer: max_new_tokens, or the longest option.
        limit_includes_generation: the cap covers prompt and answer.

    Raises:
        UsageError: neither limit is known, or nothing is left for the prompt.
    """
    bounds: list[Budget] = []
    if model_max is not None:
        bounds.append(Budget(model_max - answer, "model"))
    if cap is not None:
        bounds.append(Budget(cap - answer if limit_includes_generation else cap, "cap"))
    if not bounds:
        raise UsageError("the model's maximum length is unknown: say --max-model-len N or --max-prompt-tokens N")
    budget = min(bounds, key=lambda bound: bound.tokens)
    if budget.tokens <= 0:
        raise UsageError(
            f"no room for a prompt: model maximum {model_max}, cap {cap}, {answer} tokens kept for the answer; "
            "lower --max-new-tokens or raise the limit"
        )
    return budget


def fit(
    parts: Parts,
    frame: Frame,
    budget: Budget,
    strategy: str,
    tokenizer: Tokenizer,
    sample: Sample,
    *,
    aligned: Span | None = None,
) -> Fitted | None:
    """The token ids of the prompt, cut to the budget if needed.

    Args:
        parts: the prompt, without SYSTEM parts if the chat frame has them.
        frame: BOS and chat template, kept and counted.
        budget: the largest number of tokens of the whole prompt.
        strategy: one of ``STRATEGIES`` except ``official``.
        tokenizer: the model's.
        sample: its id is for errors, its evidence for the record.
        aligned: cut this part of the text, the same for all questions of the document, even if less is enough.

    Returns:
        The prompt; None if it is too long and the strategy is ``skip``.

    Raises:
        UsageError: the parts that must be kept exceed the budget, or it is too long and the strategy is ``error``.
    """
    text = "".join(part.text for part in parts)
    encoding = tokenizer.encode_joined([part.text for part in parts])
    total = frame.tokens + len(encoding)
    uncut = Cut(strategy, None, budget.tokens, budget.bound, total, total, evidence=evidence_fate(sample, parts, None))
    if total <= budget.tokens and aligned is None:
        ids = framed(frame, text, encoding.ids, tokenizer, budget.tokens)
        return Fitted(ids, replace(uncut, tokens_before=len(ids), tokens_kept=len(ids)), text, None)
    if strategy == "skip":
        return None
    cuttable, side = STRATEGIES[strategy]
    if side is None:
        raise over_length_error(sample, total, budget)
    shrink = _Shrink(encoding, cuttable(parts), budget.tokens - frame.tokens, side)
    removed, kept = shrink.enough(aligned)
    if frame.tokens + len(kept) > budget.tokens:
        raise frame_error(sample, strategy, frame.tokens + len(kept), budget)
    rest = text[: removed.start] + text[removed.end :]
    ids = framed(frame, rest, kept.ids, tokenizer, budget.tokens)
    lost, fate = removals(parts, encoding, removed), evidence_fate(sample, parts, removed)
    cut = replace(uncut, side=side, tokens_kept=len(ids), removed=lost, evidence=fate)
    return Fitted(ids, cut, rest, removed)


def check_frame(
    parts: Parts, frame: Frame, budget: Budget, strategy: str, tokenizer: Tokenizer, sample: Sample
) -> None:
    """Refuses a prompt if the parts that must be kept exceed the budget. The document is not encoded for it.

    Raises:
        UsageError: they exceed it; the message names the sample and both numbers.
    """
    cuttable, side = STRATEGIES[strategy]
    if side is None:
        return
    stretch = cuttable(parts)
    spans = zip(parts, part_spans(parts), strict=True)
    protected = [text for part, span in spans if (text := _outside(part.text, span, stretch))]
    needed = frame.tokens + len(tokenizer.encode_joined(protected))
    if needed > budget.tokens:
        raise frame_error(sample, strategy, needed, budget)


def over_length_error(sample: Sample, tokens: int, budget: Budget) -> UsageError:
    """The error for a prompt that is too long under the strategy ``error``."""
    return UsageError(
        f"sample {sample.id}: the prompt has {tokens} tokens, the budget is {budget.tokens}; "
        "choose a --strategy that cuts"
    )


def frame_error(sample: Sample, strategy: str, needed: int, budget: Budget) -> UsageError:
    """The error for a prompt that cannot be made to fit."""
    limit = "--max-prompt-tokens" if budget.bound == "cap" else "the model's maximum"
    return UsageError(
        f"sample {sample.id}: the parts that a {strategy!r} cut must keep have {needed} tokens, but the budget is "
        f"{budget.tokens} ({limit}); raise the limit, ask for fewer shots, or choose another --strategy"
    )


def removals(parts: Parts, encoding: JoinedText, removed: Span) -> tuple[Removal, ...]:
    """What a cut removed from each part. A token belongs to the part in which it starts."""
    taken: list[Removal] = []
    for part, span in zip(parts, part_spans(parts), strict=True):
        start, end = max(span.start, removed.start), min(span.end, removed.end)
        if start < end:
            within = tokens_within(encoding, Span(start, end))
            taken.append(Removal(part.role, len(within), end - start))
    return tuple(taken)


def tokens_within(encoding: JoinedText, span: Span) -> range:
    """Positions of the tokens that start inside a part of the text."""
    return range(encoding.before(span.start), encoding.before(span.end))


def evidence_fate(sample: Sample, parts: Parts, removed: Span | None) -> EvidenceFate | None:
    """How much of the sample's evidence is left after a cut."""
    start = next((s.start for p, s in zip(parts, part_spans(parts), strict=True) if p.role is Role.DOCUMENT), 0)
    if removed is None:
        return evidence_fate_of(sample, None)
    end = len(sample.document.text)
    kept = (Span(0, max(0, removed.start - start)), Span(max(0, removed.end - start), end))
    return evidence_fate_of(sample, kept)


def evidence_fate_of(sample: Sample, kept: tuple[Span, ...] | None) -> EvidenceFate | None:
    """How much of the sample's evidence is in the kept parts of the document (None: all was kept)."""
    if not sample.evidence:
        return None
    if kept is None:
        return "all"
    left = [sum(_overlap(span, stretch) for stretch in kept) for span in sample.evidence]
    if all(characters >= span.end - span.start for characters, span in zip(left, sample.evidence, strict=True)):
        return "all"
    return "some" if any(left) else "none"


def _outside(text: str, span: Span, stretch: Span) -> str:
    """What of a part, which stands at a span, is not in a stretch."""
    return text[: max(0, stretch.start - span.start)] + text[max(0, stretch.end - span.start) :]


def _overlap(one: Span, other: Span) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))


@dataclass(frozen=True, slots=True)
class _Shrink:
    """Finds the part of a text to remove, so that the rest fits after it is encoded again."""

    encoding: JoinedText
    cuttable: Span
    room: int
    side: Side

    def enough(self, wished: Span | None) -> tuple[Span, JoinedText]:
        """The part to remove, and the rest. The rest fits, unless the whole region is not enough.

        Args:
            wished: a part to remove, if it is enough.
        """
        excess = len(self.encoding) - self.room
        removed = wished or self._stretch(excess)
        while True:
            kept = self.encoding.without(removed)
            if len(kept) <= self.room or removed == self.cuttable:
                return removed, kept
            excess = max(excess, 0) + len(kept) - self.room
            removed = self._stretch(excess)

    def _stretch(self, excess: int) -> Span:
        """The characters of at least ``excess`` tokens inside the region, on the side to cut, at token borders."""
        cuttable, start = self.cuttable, self.encoding.start
        within = tokens_within(self.encoding, cuttable)
        if excess >= len(within):
            return cuttable
        if self.side == "left":
            return Span(cuttable.start, start(within[excess]))
        if self.side == "right":
            return Span(start(within[-excess]), cuttable.end)
        head = (len(within) - excess) // 2
        return Span(start(within[head]), start(within[head + excess]))
