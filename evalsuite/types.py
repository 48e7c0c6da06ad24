"""The vocabulary: frozen values that flow from a document to a table cell.

``source -> Sample -> Prompt -> Request -> Completion -> Score``; the cells of a table stand in ``cells``.
Nothing here imports anything of ours but the kinds of work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, TypeAlias

from evalsuite.work import Choose, Generate, Work

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict of those."""


class Role(StrEnum):
    """What a part of a prompt is for; it decides whether a cut may touch it."""

    SYSTEM = "system"
    DEMONSTRATION = "demonstration"
    INSTRUCTION = "instruction"
    DOCUMENT = "document"
    QUESTION = "question"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document's text, in characters (code points), end exclusive."""

    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A long text many questions are asked about."""

    id: str
    """The publisher's identifier; groups the questions and clusters the standard errors."""
    text: str
    length: int | None = None
    """Tokens a generated document was made to have; None for a natural one."""

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the UTF-8 text, the name under which a run stores it."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Sample:
    """One question about one document."""

    id: str
    """Unique within a task and split."""
    document: Document
    question: str
    references: tuple[str, ...]
    """The gold answers, raw, in the order the official scorer sees them."""
    choices: tuple[str, ...] = ()
    gold: int | None = None
    """Index of the right choice, 0-based; None where there are no choices."""
    evidence: tuple[Span, ...] | None = None
    """Where in the document the answer stands; None where the data does not say."""
    attributes: Mapping[str, Json] = field(default_factory=dict)
    """What else the task needs to prompt or score: question type, difficulty, official offsets."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of prompt text with one role. A DOCUMENT part's text is exactly its document's text."""

    role: Role
    text: str


Parts: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What a cut took from one part of the prompt."""

    role: Role
    tokens: int
    characters: int


EvidenceFate: TypeAlias = Literal["all", "some", "none"]


@dataclass(frozen=True, slots=True)
class Cut:
    """What fitting did to a prompt; recorded for every request, cut or not."""

    strategy: str
    side: Literal["left", "right", "middle"] | None
    """Where tokens were taken; None when nothing was cut."""
    budget: int
    """Most tokens the rendered prompt may have."""
    bound: Literal["model", "cap"]
    """Which limit gave the budget: the model's maximum or the cap asked for."""
    tokens_before: int
    tokens_kept: int
    """Tokens of the prompt as sent, BOS and chat template included."""
    removed: tuple[Removal, ...] = ()
    evidence: EvidenceFate | None = None
    """How much of the evidence survived; None where the sample has none marked."""
    official: bool = False
    """True when a benchmark's own rule made the cut, decode-and-re-encode included."""
    note: str = ""
    """A documented deviation that applied here."""

    @property
    def is_cut(self) -> bool:
        """Whether anything was removed."""
        return bool(self.removed)


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt made exact for one engine."""

    id: str
    """``<cell>/<sample id>``, unique in a run."""
    cell: str
    sample_id: str
    document: str
    """Hash of the sample's document: requests of one document are worked on together."""
    key: str
    """Hash of (model identity, prompt hash, work): the journal's key. Equal prompts share one."""
    prompt: tuple[int, ...]
    """Token ids as sent, BOS included."""
    work: Work
    cut: Cut
    demonstrations: tuple[str, ...] = ()
    """Sample ids of the demonstrations, in prompt order."""

    @property
    def options(self) -> tuple[tuple[int, ...], ...]:
        """Token ids of each option to compare; empty for other work."""
        return self.work.options if isinstance(self.work, Choose) else ()

    @property
    def max_new_tokens(self) -> int:
        """Most tokens to generate; 0 for other work."""
        return self.work.max_new_tokens if isinstance(self.work, Generate) else 0

    @property
    def stop(self) -> tuple[str, ...]:
        """Texts that end a generation; empty for other work."""
        return self.work.stop if isinstance(self.work, Generate) else ()

    @property
    def answer_tokens(self) -> int:
        """Tokens behind the prompt: those of the longest option, or as many as may be generated."""
        return max(map(len, self.options), default=self.max_new_tokens)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that is not asked, and why; it is counted, never scored."""

    id: str
    cell: str
    sample_id: str
    reason: Literal["over-length", "empty text"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A sample whose prompt cannot be made, and why; it fails, the others go on."""

    id: str
    cell: str
    sample_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class OptionScore:
    """The log-likelihood of one option behind the prompt."""

    logprob: float
    """Natural log, summed over the option's tokens."""
    tokens: int
    greedy: bool
    """Whether every token of the option was the model's first choice."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the engine answered to one request."""

    key: str
    text: str = ""
    token_ids: tuple[int, ...] = ()
    finish_reason: Literal["stop", "eos", "length"] | None = None
    """None where the engine cannot tell, or no text was generated."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens the engine did not have to compute again; None where it cannot tell."""
    options: tuple[OptionScore, ...] = ()
    losses: tuple[float, ...] = ()
    """Negative natural-log likelihood of every prompt token but the first, for a loss."""
    error: str | None = None
    """An infrastructure error: the request failed and has no answer. Never scored."""


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """What a task's scorer makes of one completion; with what became of its prompt it is a ``Score``."""

    values: Mapping[str, float]
    """Metric name to value, 0 to 100."""
    answer: str
    """The answer as extracted."""
    scorable: bool = True
    """False when the official extraction found no answer; the official value still counts in the mean."""
    skipped: str = ""
    """Why there is nothing to score by (the data has no label): the sample counts as skipped, its values are unused."""


Status: TypeAlias = Literal["scored", "unscorable", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of one asked sample in one cell."""

    id: str
    cell: str
    sample_id: str
    document: str
    """The document's id, by which errors are clustered."""
    status: Status
    values: Mapping[str, float] = field(default_factory=dict)
    answer: str = ""
    reason: str = ""
    """Why it was skipped or failed."""
    cut: bool = False
    evidence: EvidenceFate | None = None
    output_capped: bool | None = None
    """Generation ended at max_new_tokens, not by itself; None where the engine cannot tell or nothing was generated."""
    kept: float | None = None
    """Share of the prompt's tokens that were sent, 0 to 1; None where the prompt is unknown."""
    demonstrations_lost: bool | None = None
    """Whether a cut took demonstrations, whole or in part; None where it is not known or there were none."""
