"""The vocabulary: frozen values that flow from a document to a table cell.

``source -> Sample -> Prompt -> Request -> Completion -> Score``. The module ``cells`` has the cells of a table.
This module imports only ``work``.
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
    """What a part of a prompt is for. The role decides whether a cut may remove the part."""

    SYSTEM = "system"
    DEMONSTRATION = "demonstration"
    INSTRUCTION = "instruction"
    DOCUMENT = "document"
    QUESTION = "question"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, in characters (code points). The end is exclusive."""

    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A long text that many questions are about."""

    id: str
    """The publisher's identifier. It groups the questions and clusters the standard errors."""
    text: str
    length: int | None = None
    """The number of tokens that a generated document was made to have; None for a natural document."""

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the UTF-8 text. A run stores the document under this name."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Sample:
    """One question about one document."""

    id: str
    """Unique within a task and split."""
    document: Document
    question: str
    references: tuple[str, ...]
    """The gold answers, unchanged, in the order that the official scorer uses."""
    choices: tuple[str, ...] = ()
    gold: int | None = None
    """Index of the right choice, 0-based; None without choices."""
    evidence: tuple[Span, ...] | None = None
    """The places in the document that contain the answer; None if the data does not say."""
    attributes: Mapping[str, Json] = field(default_factory=dict)
    """Other values that the task needs for prompts or scores: question type, difficulty, official offsets."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of prompt text with one role. The text of a DOCUMENT part is exactly the document's text."""

    role: Role
    text: str


Parts: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What a cut removed from one part of the prompt."""

    role: Role
    tokens: int
    characters: int


EvidenceFate: TypeAlias = Literal["all", "some", "none"]


@dataclass(frozen=True, slots=True)
class Cut:
    """How a prompt was cut. Every request has this record, also if nothing was cut."""

    strategy: str
    side: Literal["left", "right", "middle"] | None
    """The side that tokens were removed from; None if nothing was cut."""
    budget: int
    """The largest number of tokens that the whole prompt may have."""
    bound: Literal["model", "cap"]
    """The limit that gave the budget: the model's maximum or the cap."""
    tokens_before: int
    tokens_kept: int
    """Tokens of the prompt as sent, with BOS and chat template."""
    removed: tuple[Removal, ...] = ()
    evidence: EvidenceFate | None = None
    """How much of the evidence was kept; None if the data marks none for the sample."""
    official: bool = False
    """True if the benchmark's own rule made the cut; such a rule may decode tokens and encode them again."""
    note: str = ""
    """A documented deviation that applied here."""

    @property
    def is_cut(self) -> bool:
        """Whether anything was removed."""
        return bool(self.removed)


@dataclass(frozen=True, slots=True)
class Request:
    """What an engine is asked: the token ids of a prompt, and the kind of work."""

    id: str
    """``<cell>/<sample id>``, unique in a run."""
    cell: str
    sample_id: str
    document_hash: str
    """Hash of the sample's document. The requests of one document are sent together."""
    key: str
    """Hash of model identity, prompt hash and work: the key of the journal. Equal requests share one answer."""
    prompt: tuple[int, ...]
    """Token ids as sent, with BOS."""
    work: Work
    cut: Cut
    demonstrations: tuple[str, ...] = ()
    """Sample ids of the demonstrations, in the order of the prompt."""

    @property
    def options(self) -> tuple[tuple[int, ...], ...]:
        """Token ids of each option; empty for other work."""
        return self.work.options if isinstance(self.work, Choose) else ()

    @property
    def max_new_tokens(self) -> int:
        """Limit of generated tokens; 0 for other work."""
        return self.work.max_new_tokens if isinstance(self.work, Generate) else 0

    @property
    def stop(self) -> tuple[str, ...]:
        """Texts that end a generation; empty for other work."""
        return self.work.stop if isinstance(self.work, Generate) else ()

    @property
    def answer_tokens(self) -> int:
        """Tokens after the prompt: the tokens of the longest option, or the limit of generated tokens."""
        return max(map(len, self.options), default=self.max_new_tokens)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that is not asked, and the reason. It is counted, never scored."""

    id: str
    cell: str
    sample_id: str
    reason: Literal["over-length", "empty text"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A sample whose prompt cannot be made, and the reason. It fails; the run continues with the others."""

    id: str
    cell: str
    sample_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class OptionScore:
    """The log-likelihood of one option, given the prompt."""

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
    """None if the engine does not say, or if no text was generated."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens that the engine took from its cache; None if it does not say."""
    options: tuple[OptionScore, ...] = ()
    losses: tuple[float, ...] = ()
    """For a loss: the negative natural-log likelihood of every prompt token except the first."""
    error: str | None = None
    """Why the request failed; it then has no answer and is never scored."""


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """What a task's scorer returns for one completion. A ``Score`` adds what happened to the prompt."""

    values: Mapping[str, float]
    """Metric name to value, 0 to 100."""
    answer: str
    """The answer that the scorer extracted."""
    scorable: bool = True
    """False if the official code found no answer. The official value is still in the mean."""
    skipped: str = ""
    """Why the answer cannot be scored (the data has no label). The sample then counts as skipped."""


Status: TypeAlias = Literal["scored", "unscorable", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of one asked sample in one cell."""

    id: str
    cell: str
    sample_id: str
    document_id: str
    """Standard errors are clustered by it. The file calls this field ``document``."""
    status: Status
    values: Mapping[str, float] = field(default_factory=dict)
    answer: str = ""
    reason: str = ""
    """Why it was skipped or failed."""
    cut: bool = False
    evidence: EvidenceFate | None = None
    output_capped: bool | None = None
    """Whether the answer stopped at max_new_tokens; None if the engine does not say, or if nothing was generated."""
    kept: float | None = None
    """Share of the prompt's tokens that were sent, 0 to 1; None if the prompt is unknown."""
    demonstrations_lost: bool | None = None
    """Whether a cut removed demonstrations, in whole or in part; None without demonstrations, or if unknown."""
