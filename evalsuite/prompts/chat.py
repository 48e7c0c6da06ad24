"""The frame around a prompt: BOS and, where chosen, the model's chat template; measured before anything is cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evalsuite.errors import UsageError
from evalsuite.protocols import Tokenizer
from evalsuite.types import Parts, Role

_MARK = "EVALSUITE-CONTENT-GOES-HERE"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and after the prompt's own text, as token ids."""

    head: tuple[int, ...]
    """BOS, exactly once where the model has one, and the template up to the user's words."""
    tail: tuple[int, ...]
    """The template behind the user's words."""

    @property
    def tokens(self) -> int:
        """Tokens of both ends."""
        return len(self.head) + len(self.tail)


class ChatTokenizer(Protocol):
    """A tokenizer that carries a chat template."""

    chat_template: Callable[[list[dict[str, str]]], str | None]
    """Messages to the rendered text, ending where the answer begins; None without a template."""


def plain_frame(tokenizer: Tokenizer) -> Frame:
    """BOS alone."""
    return Frame(_bos(tokenizer), ())


def chat_frame(tokenizer: Tokenizer, parts: Parts) -> Frame:
    """The chat template around the user's message; SYSTEM parts become the system message.

    A BOS that the template writes itself is not written twice.

    Raises:
        UsageError: the tokenizer has no usable chat template.
    """
    head, tail = _template_ends(tokenizer, "".join(part.text for part in parts if part.role is Role.SYSTEM))
    ids = tuple(tokenizer.encode_template(head))
    bos = _bos(tokenizer)
    while bos and ids[:1] == bos:
        ids = ids[1:]
    return Frame(bos + ids, tuple(tokenizer.encode_template(tail)) if tail else ())


def _template_ends(tokenizer: Tokenizer, system: str) -> tuple[str, str]:
    render = getattr(tokenizer, "chat_template", None)
    messages = [{"role": "system", "content": system}] if system else []
    rendered = render([*messages, {"role": "user", "content": _MARK}]) if render else None
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
