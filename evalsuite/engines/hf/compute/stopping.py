"""When an answer ends, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from evalsuite.engines._generated import REPLACEMENT, first_stop
from evalsuite.engines.hf.compute.failures import NOT_FINITE
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Completion, Request

SLACK = 8
BYTES_A_CHARACTER = 4
"""A character may be this many tokens (bytes) long."""


class Answer:
    """One growing greedy answer."""

    def __init__(self, request: Request, tokenizer: Tokenizer, end_ids: frozenset[int]) -> None:
        self.request = request
        self.ids: list[int] = []
        self.reason: Literal["stop", "eos", "length"] | None = None
        self.failed = False
        """Whether the model gave no finite logits to go on with."""
        self._tokenizer = tokenizer
        self._end_ids = end_ids
        longest = max((len(stop) for stop in request.stop), default=0)
        self._window = BYTES_A_CHARACTER * longest + SLACK

    @property
    def done(self) -> bool:
        """Whether nothing more is to be generated."""
        return self.failed or self.reason is not None or self.request.max_new_tokens <= 0

    def add(self, id_: int | None) -> None:
        """Takes the next token; None says that there is none, for the logits were not finite."""
        if id_ is None:
            self.failed = True
            return
        self.ids.append(id_)
        if id_ in self._end_ids:
            self.reason = "eos"
        elif self._stopped():
            self.reason = "stop"
        elif len(self.ids) >= self.request.max_new_tokens:
            self.reason = "length"

    def extend(self, ids: Sequence[int]) -> None:
        """Takes tokens until the answer is done; the rest is padding."""
        for id_ in ids:
            if self.done:
                return
            self.add(id_)

    def _stopped(self) -> bool:
        stops = self.request.stop
        if not stops:
            return False
        # Only the tail is decoded at every step; the whole text confirms, for a tail may begin inside a character.
        tail = self._decode(self.ids[-self._window :])
        return first_stop(tail, stops) is not None and first_stop(self._decode(self.ids), stops) is not None

    def _decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True)

    def completion(self, cached_tokens: int) -> Completion:
        """The answer as text, before the first stop string; ids as generated, the end token included."""
        if self.failed:
            return Completion(key=self.request.key, prompt_tokens=len(self.request.prompt), error=NOT_FINITE)
        text = self._decode(self.ids)
        if self.reason == "length":
            # The limit fell inside a character: its first bytes are no text.
            text = text.rstrip(REPLACEMENT)
        return Completion(
            key=self.request.key,
            text=text[: first_stop(text, self.request.stop)],
            token_ids=tuple(self.ids),
            finish_reason=self.reason or "length",
            prompt_tokens=len(self.request.prompt),
            cached_tokens=cached_tokens,
        )
