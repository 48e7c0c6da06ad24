"""The vocabulary: frozen values that flow from a document to a table cell.

``source -> Sample -> Prompt -> Request -> Completion -> Score -> Cell``. Nothing here imports anything of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias

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
class Encoding:
    """Token ids of a text and, for each, the characters it stands for."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class Tokenizer(Protocol):
    """What prompts, cuts and engines need of a tokenizer."""

    @property
    def bos_id(self) -> int | None:
        """The id put in front of every prompt, None where the model has none."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end a generation."""

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids as the official scripts get them: special strings in the text are read as special tokens.

        Args:
            text: any text.
            special_tokens: also add the tokenizer's own BOS/EOS frame.
        """

    def encode_literal(self, text: str) -> Encoding:
        """Ids without any frame; a special token's spelling inside the text stays text."""

    def encode_template(self, text: str) -> list[int]:
        """Ids of a chat template's own text, where special strings are special tokens."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of ``encode(text)``."""

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids, without cleaning up spaces."""


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
class Decoding:
    """How an answer is generated: greedily, until a stop string, an end token or the limit."""

    max_new_tokens: int
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these; the completion's text does not hold it."""


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
    """Hash of (model identity, prompt hash, decoding, options): the journal's key. Equal prompts share one."""
    prompt: tuple[int, ...]
    """Token ids as sent, BOS included."""
    decoding: Decoding
    cut: Cut
    options: tuple[tuple[int, ...], ...] = ()
    """Token ids of each option; when given, their log-likelihoods are asked for instead of a generation."""
    demonstrations: tuple[str, ...] = ()
    """Sample ids of the demonstrations, in prompt order."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that is not asked, and why; it is counted, never scored."""

    id: str
    cell: str
    sample_id: str
    reason: Literal["over-length", "empty text"]


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
    error: str | None = None
    """An infrastructure error: the request failed and has no answer. Never scored."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A task's verdict on one completion."""

    values: Mapping[str, float]
    """Metric name to value, 0 to 100."""
    answer: str
    """The answer as extracted."""
    scorable: bool = True
    """False when the official extraction found no answer; the official value still counts in the mean."""


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
    output_capped: bool = False
    """Generation ended at max_new_tokens, not by itself."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The axes of one table cell, before the model and the metric."""

    suite: str
    task: str
    split: str
    protocol: str
    shots: int
    seed: int
    max_prompt_tokens: int | None
    """The cap asked for; None when only the model's maximum bounds the prompt."""
    length: int | None
    strategy: str

    @property
    def key(self) -> str:
        """A readable name, unique in a run."""
        cap = "model" if self.max_prompt_tokens is None else str(self.max_prompt_tokens)
        size = "" if self.length is None else f"/length-{self.length}"
        return f"{self.task}/{self.split}/{self.protocol}/{self.shots}-shot/seed-{self.seed}/cap-{cap}{size}/{self.strategy}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table, with everything needed to believe it."""

    suite: str
    task: str
    split: str
    protocol: str
    shots: int
    seed: int
    max_prompt_tokens: int | None
    length: int | None
    strategy: str
    model: str
    metric: str
    primary: bool
    value: float | None
    """0 to 100; None while the cell is incomplete (unless incomplete values were asked for)."""
    stderr: float | None
    """Standard error clustered by document; None with fewer than two documents."""
    asked: int
    scored: int
    skipped: int
    unscorable: int
    failed: int
    documents: int
    cut: int
    """Samples whose prompt was cut."""
    evidence_lost: int | None
    """Samples of whose evidence some or all was cut; None where the task marks none."""
    complete: bool


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What was evaluated: content, never a path."""

    name: str
    """For display: the last part of a path, a hub id, or the served id."""
    hash: str
    """SHA-256 over weights, config and tokenizer files, or over the served id and revision, with result-changing load options."""
    revision: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    """Load options that change results: dtype, RoPE override, quantization, adapter."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What a run records of the engine that answered."""

    scheme: str
    version: str
    model: ModelIdentity
    max_model_len: int | None
    """Tokens of prompt plus answer the model takes; None where it is unknown."""
    max_model_len_source: str = "config"
    tokenizer: str = ""
    """Hash of the tokenizer's files."""
    notes: tuple[str, ...] = ()
    """Safe fall-backs taken, each said once."""


class Engine(Protocol):
    """A language model behind one small protocol over token ids."""

    @property
    def info(self) -> EngineInfo:
        """Identity and limits."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer whose ids it takes."""

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers every request of every group, in any order, each as soon as it is known.

        Args:
            groups: pulled lazily; the requests of one group share a document (and a long token prefix where the cut allows).

        Yields:
            One completion a request. A request that cannot be answered yields one with ``error`` set; the others go on.
        """

    def close(self) -> None:
        """Frees the model."""


CutRule: TypeAlias = Callable[["OfficialCutInput"], "OfficialCut"]


@dataclass(frozen=True, slots=True)
class OfficialCutInput:
    """What a benchmark's own cut rule gets."""

    sample: Sample
    parts: Parts
    limit: int
    """The benchmark's own limit (its meaning is the rule's): the smaller of the cap and the model's maximum."""
    max_new_tokens: int
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class OfficialCut:
    """What a benchmark's own cut rule made: the prompt's ids exactly as its script sends them."""

    ids: tuple[int, ...]
    tokens_before: int
    removed: tuple[Removal, ...]
    side: Literal["left", "right", "middle"] | None
    kept: tuple[Span, ...]
    """The stretches of the document that stayed, in characters."""
    over_limit: bool = False
    """The official result exceeds its own limit; fidelity reproduces it, a run refuses it."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What was asked for: every option that shapes a run."""

    model: str
    tasks: tuple[str, ...]
    shots: tuple[int, ...] = (0,)
    max_prompt_tokens: tuple[int | None, ...] = (None,)
    lengths: tuple[int | None, ...] = (None,)
    protocol: str | None = None
    """A protocol all tasks have; None takes each task's default."""
    strategy: str | None = None
    """None takes the protocol's default."""
    split: str | None = None
    limit_documents: int | None = None
    seed: int = 0
    demo_draw: Literal["task", "sample"] = "task"
    demo_documents: Literal["whole", "placeholder"] = "whole"
    chat_template: bool = False
    share_prefix: Literal["off", "aligned"] = "off"
    max_new_tokens: int | None = None
    """Overrides the protocol's limit."""
    max_model_len: int | None = None
    data: str | None = None
    include_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataFileRecord:
    """A file that was read, by content."""

    task: str
    name: str
    sha256: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything needed to believe and repeat a run."""

    schema_version: int
    evalsuite_version: str
    spec: RunSpec
    engine: EngineInfo
    settings: tuple[Setting, ...]
    question_identity: Mapping[str, str]
    """Cell key to hash of data, sample ids, protocol, template text, demonstrations, versions, cap and strategy."""
    data: tuple[DataFileRecord, ...]
    notices: tuple[str, ...]
    """What the reader should know: missing texts, draws from the evaluated split, index bases inferred."""
    packages: Mapping[str, str]
    commit: str | None
    hardware: Mapping[str, str]
    provenance: Literal["generated", "imported"] = "generated"
    engine_changes: tuple[EngineInfo, ...] = ()
