"""The whole prompt of a sample as parts: demonstrations before the document, and the frame around them."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.interfaces import Tokenizer
from evalsuite.prompts.chat import Frame, chat_frame, plain_frame
from evalsuite.task import PromptProtocol
from evalsuite.types import Part, Parts, Role, Sample

_LEADING = (Role.SYSTEM, Role.INSTRUCTION)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt's own text in parts, and the frame around it."""

    parts: Parts
    frame: Frame


def render(
    protocol: PromptProtocol,
    sample: Sample,
    demonstrations: Parts,
    tokenizer: Tokenizer,
    *,
    chat: bool,
    date: str | None = None,
) -> Rendered:
    """The prompt of one sample, before a cut.

    Args:
        protocol: writes the zero-shot prompt.
        sample: the question.
        demonstrations: parts that are put after the first system and instruction parts.
        tokenizer: gives BOS and chat template.
        chat: apply the tokenizer's chat template.
        date: the date that the template prints (``chat_frame``).
    """
    parts = with_demonstrations(protocol.prompt(sample), demonstrations)
    if not chat:
        return Rendered(parts, plain_frame(tokenizer))
    own = tuple(part for part in parts if part.role is not Role.SYSTEM)
    return Rendered(own, chat_frame(tokenizer, parts, date))


def with_demonstrations(parts: Parts, demonstrations: Parts) -> Parts:
    """The prompt, with demonstrations after its first system and instruction parts."""
    lead = next((i for i, part in enumerate(parts) if part.role not in _LEADING), len(parts))
    return (*parts[:lead], *demonstrations, *parts[lead:])


def option_ids(rendered: Rendered, options: tuple[str, ...], tokenizer: Tokenizer) -> tuple[tuple[int, ...], ...]:
    """Token ids of each option as a continuation of the prompt.

    An option is encoded together with the last parts of the prompt that are never cut. If the tokenizer merges across
    this border, the ids of the prompt would change with the option; then the option is encoded alone. With a chat
    template, the option follows the template, without a space before it.
    """
    if rendered.frame.tail:
        return tuple(tokenizer.encode_literal(option.lstrip(" ")).ids for option in options)
    tail = _tail(rendered.parts)
    before = tokenizer.encode_literal(tail).ids
    return tuple(_continuation(before, tail, option, tokenizer) for option in options)


def _continuation(before: tuple[int, ...], tail: str, option: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    both = tokenizer.encode_literal(tail + option).ids
    if both[: len(before)] == before and len(both) > len(before):
        return both[len(before) :]
    return tokenizer.encode_literal(option).ids


def _tail(parts: tuple[Part, ...]) -> str:
    last = max((i for i, part in enumerate(parts) if part.role in (Role.DOCUMENT, Role.DEMONSTRATION)), default=-1)
    return "".join(part.text for part in parts[last + 1 :])
