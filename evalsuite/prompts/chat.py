"""The frame around a prompt: BOS and, where chosen, the model's chat template; measured before anything is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Parts, Role

_MARK = "EVALSUITE-CONTENT-GOES-HERE"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and after the prompt's own text, as token ids."""

    head: tuple[int, ...]
    """BOS, exactly once where the model has one, and the template up to the user's words."""
    tail: tuple[int, ...]
    """The template behind the user's words."""
    template: tuple[str, str] | None = None
    """The text of both ends under a chat template; None without one."""

    @property
    def tokens(self) -> int:
        """Tokens of both ends."""
        return len(self.head) + len(self.tail)


class ChatTokenizer(Protocol):
    """A tokenizer that carries a chat template."""

    def chat_template(self, messages: Sequence[Mapping[str, str]], *, date: str | None = None) -> str | None:
        """Messages to the rendered text, ending where the answer begins; None without a template.

        Args:
            messages: ``{"role": ..., "content": ...}`` each.
            date: ``YYYY-MM-DD``, the date it prints; None for its own fallback or a constant, never today's.
        """


def plain_frame(tokenizer: Tokenizer) -> Frame:
    """BOS alone."""
    return Frame(_bos(tokenizer), ())


def chat_frame(tokenizer: Tokenizer, parts: Parts, date: str | None = None) -> Frame:
    """The chat template around the user's message; SYSTEM parts become the system message.

    A BOS that the template writes itself is not written twice.

    Args:
        tokenizer: carries the template.
        parts: the prompt.
        date: the date that the template prints; None for its own fallback or a constant, never today's.

    Raises:
        UsageError: the tokenizer has no usable chat template.
    """
    head, tail = _template_ends(tokenizer, "".join(part.text for part in parts if part.role is Role.SYSTEM), date)
    ids = _bos(tokenizer) + _without_bos(tuple(tokenizer.encode_template(head)), tokenizer)
    return Frame(ids, tuple(tokenizer.encode_template(tail)) if tail else (), (head, tail))


def template_date(tokenizer: Tokenizer, date: str | None) -> str | None:
    """What chats show as their date, for the record; None where the template reads none.

    Args:
        tokenizer: carries the template.
        date: the date asked for, if any.
    """
    shown = getattr(tokenizer, "template_date", None)
    return None if shown is None else shown(date)


def framed(frame: Frame, text: str, ids: Sequence[int], tokenizer: Tokenizer, room: int) -> tuple[int, ...]:
    """The prompt's ids with both ends around them.

    Under a chat template the rendered chat is encoded at once, as the model was trained to read it (a token may
    stand across the border of template and text); special strings that the text spells stay text.

    Args:
        frame: both ends.
        text: the prompt's own text.
        ids: that text's own ids.
        tokenizer: the model's.
        room: most tokens of the whole; where encoding at once takes more, the pieces stand side by side.
    """
    pieces = (*frame.head, *ids, *frame.tail)
    at_once = getattr(tokenizer, "encode_chat", None)
    if frame.template is None or at_once is None:
        return pieces
    head, tail = frame.template
    whole = tuple(at_once(head + text + tail, [(len(head), len(head) + len(text))]).ids)
    whole = _bos(tokenizer) + _without_bos(whole, tokenizer)
    return whole if len(whole) <= room else pieces


def _without_bos(ids: tuple[int, ...], tokenizer: Tokenizer) -> tuple[int, ...]:
    bos = _bos(tokenizer)
    while bos and ids[:1] == bos:
        ids = ids[1:]
    return ids


def _template_ends(tokenizer: Tokenizer, system: str, date: str | None) -> tuple[str, str]:
    render = getattr(tokenizer, "chat_template", None)
    messages = [{"role": "system", "content": system}] if system else []
    rendered = render([*messages, {"role": "user", "content": _MARK}], date=date) if render else None
    if rendered is None:
        raise UsageError("--chat-template: this tokenizer has no chat template; leave the option out for a base model")
    if rendered.count(_MARK) != 1:
        raise UsageError(
            "--chat-template: the template does not show the user's message exactly once; it cannot be used"
        )
    head, _, tail = rendered.partition(_MARK)
    return head, tail


def _bos(tokenizer: Tokenizer) -> tuple[int, ...]:
    return () if tokenizer.bos_id is None else (tokenizer.bos_id,)
