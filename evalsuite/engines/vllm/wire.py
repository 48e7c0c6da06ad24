"""What the engine and its worker process say to each other about vLLM: plain frozen values, pickled over a pipe.

vLLM runs in a process of our own because nothing inside a process can end a hang of that process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Start:
    """How to load the model."""

    arguments: Mapping[str, Any]
    """Arguments of ``vllm.LLM``."""
    lora: str | None = None
    """Folder of a LoRA adapter used for every request."""


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue a prompt greedily."""

    id: int
    prompt: tuple[int, ...]
    max_tokens: int
    stop: tuple[str, ...] = ()
    end_ids: tuple[int, ...] = ()
    """Ids that end the generation besides the model's own."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Score single tokens as the prompt's next token."""

    id: int
    prompt: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Follow:
    """Score a continuation of several tokens behind a prompt."""

    id: int
    prompt: tuple[int, ...]
    option: tuple[int, ...]


Ask: TypeAlias = Generate | Choose | Follow


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded."""

    version: str
    max_model_len: int
    kv_tokens: int
    """Tokens whose keys and values fit into the cache."""
    block: int
    """Tokens of a cache block: what is shared is shared in whole blocks."""
    dtype: str
    """Type of the weights, e.g. ``bfloat16``."""


@dataclass(frozen=True, slots=True)
class TokenScore:
    """The natural-log probability of one token, and whether it was the model's first choice."""

    logprob: float
    first: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one ask."""

    id: int
    cached: int
    """Tokens of the ask's prompt that were not computed again."""
    computed: int
    """Tokens that were computed for it, asking again included; generated ones left out."""
    tokens: tuple[int, ...] = ()
    finish: Literal["stop", "eos", "length"] | None = None
    scores: tuple[TokenScore, ...] = ()
    """One a label, or one a token of the option."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine took one look at an ask and would not have it; it still works."""

    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Beat:
    """A step of the engine ended: it is alive."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The engine raised; the worker ends. An engine that raised may wait for ever at the next request."""

    reason: str
    detail: str = field(default="", repr=False)


Report: TypeAlias = Ready | Answer | Refused | Beat | Broken
