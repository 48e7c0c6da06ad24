"""The frame of a prompt: BOS and, if chosen, the model's chat template. Its tokens are counted before a cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Parts, Role

_MARK = "EVALSUITE-CONTENT-GOES-HERE"


@dataclass(frozen=True, slots=True)
class Frame:
    """The token ids before and after the prompt's own text."""

    head: tuple[int, ...]
    """BOS (once, if the model has one), and the text of the template before the user's message."""
    tail: tuple[int, ...]
    """The text of the template after the user's message."""
    template: tuple[str, str] | None = None
    """The texts before and after, with a chat template; None without one."""

    @property
    def tokens(self) -> int:
        """Tokens of the frame."""
        return len(self.head) + len(self.tail)


def plain_frame(tokenizer: Tokenizer) -> Frame:
    """A frame of BOS only."""
    return Frame(_bos(tokenizer), ())


def chat_frame(tokenizer: Tokenizer, parts: Parts, date: str | None = None) -> Frame:
    """The chat template around the user's message. SYSTEM parts become the system message.

    A BOS that the template writes itself is not written twice.

    Args:
        tokenizer: carries the template: its ``chat_template(messages, date=...)`` renders messages up to where the
            answer begins, or gives None.
        parts: the prompt.
        date: the date that the template prints; None for its own fallback or a constant, never today's.

    Raises:
        UsageError: the tokenizer has no usable chat template.
    """
    head, tail = _template_ends(tokenizer, "".join(part.text for part in parts if part.role is Role.SYSTEM), date)
    ids = _bos(tokenizer) + _without_bos(tuple(tokenizer.encode_template(head)), tokenizer)
    return Frame(ids, tuple(tokenizer.encode_template(tail)) if tail else (), (head, tail))


def template_date(tokenizer: Tokenizer, date: str | None) -> str | None:
    """The date that chats show, for the record; None if the template prints none.

    Args:
        tokenizer: carries the template.
        date: the date asked for, if any.
    """
    shown = getattr(tokenizer, "template_date", None)
    return None if shown is None else shown(date)


def framed(frame: Frame, text: str, ids: Sequence[int], tokenizer: Tokenizer, room: int) -> tuple[int, ...]:
    """The ids of the prompt, with the frame around them.

    With a chat template, the whole chat is encoded at once, as in the training of the model: a token may cross the
    border between template and text. Special strings in the prompt's text stay text.

    Args:
        frame: the ids before and after.
        text: the prompt's own text.
        ids: that text's own ids.
        tokenizer: the model's.
        room: most tokens of the whole chat. If encoding at once needs more, the pieces are encoded separately.
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
