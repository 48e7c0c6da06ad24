"""Counts the work of an engine, or computes it in advance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from evalsuite.engines.hf.prefix.layout import Held, lay_out
from evalsuite.engines.hf.prefix.plan import Ask, Costs, plan
from evalsuite.engines.hf.prefix.tree import Ids, as_ids, distinct_tokens
from evalsuite.types import Request


@dataclass(slots=True)
class Counters:
    """The work of an engine so far, for benchmarks and tests."""

    prompt_tokens: int = 0
    """Tokens of prompts and options that the model computed, with padding."""
    decoded_tokens: int = 0
    """Generated tokens that the model computed."""
    passes: int = 0
    """Forward passes."""
    kv_tokens: int = 0
    """Largest number of tokens with keys and values in memory at one time."""
    kv_bytes: int = 0
    """Bytes of these keys and values."""
    packed: int = 0
    """Requests computed behind a shared prefix."""
    plain: int = 0
    """Requests computed in ordinary batches."""
    out_of_memory: int = 0
    """Times a batch was halved and tried again."""

    def reset(self) -> None:
        """Starts counting anew."""
        for field in fields(self):
            setattr(self, field.name, 0)

    @property
    def tokens(self) -> int:
        """All tokens forwarded."""
        return self.prompt_tokens + self.decoded_tokens


@dataclass(frozen=True, slots=True)
class Planned:
    """Tokens a run over groups would pass through the body before anything is generated."""

    forwarded: int
    distinct: int
    """The tree of all prompts and options of each group: nothing can forward fewer."""
    separate: int
    """Every request (and option) by itself, without padding."""
    kv_tokens: int
    """Most tokens held at once, generated ones included."""


def count(groups: Iterable[Sequence[Request]], costs: Costs, room: int) -> Planned:
    """Counts what the packed engine would forward for the groups, without a model."""
    held = Held.nothing()
    forwarded = distinct = separate = most = 0
    for group in groups:
        asks = [Ask(request) for request in {request.key: request for request in group}.values()]
        for pack in plan(asks, costs, room):
            nodes = len(lay_out(pack).tree)
            forwarded += pack.prefix - held.take(pack) + nodes
            most = max(most, pack.prefix + nodes + pack.rows * pack.steps)
        sequences = [sequence for ask in asks for sequence in forwarded_sequences(ask.request)]
        distinct += distinct_tokens(sequences)
        separate += sum(map(len, sequences))
    return Planned(forwarded, distinct, separate, most)


def forwarded_sequences(request: Request) -> list[Ids]:
    """What must pass through the body for a request: its prompt, or the prompt with each option but its last token."""
    prompt = as_ids(request.prompt)
    if not request.options:
        return [prompt]
    return [np.concatenate([prompt, as_ids(option[:-1])]) for option in request.options]
