"""What a run writes down about itself: what was asked, of which model, with which data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evalsuite.cells import Setting
from evalsuite.types import Cut, Json, Span
from evalsuite.work import Generate

IMPORTED = "imported"
"""The protocol and strategy of answers made elsewhere, whose prompts are unknown."""

SCHEMA_VERSION = 2
"""Goes up when the meaning or shape of a file in a run directory changes."""
SEALED_SINCE = 2
"""Run directories of earlier schema versions have no seals; they are read, and that is said."""
OLDEST_SCHEMA = 1
"""The earliest schema version that is still read."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What was evaluated: content, never a path."""

    name: str
    """For display: the last part of a path, a hub id, or the served id."""
    hash: str
    """SHA-256 over weights, config and tokenizer files, or over the served id and revision,
    with result-changing load options."""
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


ALL = "*"
"""In a mapping by task: every task that is not named."""


@dataclass(frozen=True, slots=True)
class Block:
    """Questions asked together: every combination of the lists, for every task."""

    tasks: tuple[str, ...]
    """Names of tasks or suites."""
    shots: tuple[int, ...] = (0,)
    max_prompt_tokens: tuple[int | None, ...] = (None,)
    lengths: tuple[int | None, ...] = (None,)
    seeds: tuple[int, ...] = (0,)
    """Of the draw of demonstrations, and of generated documents."""
    protocol: str | None = None
    """A protocol all tasks have; None takes each task's default."""
    strategy: str | None = None
    """None takes the protocol's default."""
    split: Mapping[str, str] = field(default_factory=dict)
    """By task, or under ``*`` for all others; a task that is not named takes its default."""
    limit_documents: Mapping[str, int] = field(default_factory=dict)
    """Only the first so many documents with text, by task, or under ``*`` for all others."""
    demo_draw: Literal["task", "sample"] = "task"
    demo_documents: Literal["whole", "placeholder"] = "whole"
    chat_template: bool = False
    template_date: str | None = None
    """``YYYY-MM-DD`` for a chat template that prints the date; None takes its own fallback, else a constant."""
    share_prefix: Literal["off", "aligned"] = "off"
    max_new_tokens: int | None = None
    """Overrides the protocol's limit."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What was asked for: every option that shapes a run of one model."""

    model: str
    blocks: tuple[Block, ...]
    model_name: str | None = None
    """What tables call the model; None takes its own name."""
    max_model_len: int | None = None
    data: str | None = None
    skip_missing_data: bool = False
    """Leave out tasks whose data is not there, and say so, instead of refusing the run."""
    skip_impossible: bool = False
    """Leave out cells that cannot be asked, and say so, instead of refusing the run."""
    include_paths: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of tasks and suites asked for, each once."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.tasks))


@dataclass(frozen=True, slots=True)
class DataFileRecord:
    """A file that was read, by content."""

    task: str
    name: str
    sha256: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class FileSeal:
    """What a file of a run directory was when it was written to its end."""

    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the answers of a run were scored last; what was asked stands in the record itself."""

    evalsuite_version: str
    commit: str | None
    task_versions: Mapping[str, int]
    """Version of each task by which its answers were scored."""
    metric_versions: Mapping[str, int] = field(default_factory=dict)
    """Version of each metric, as ``task/metric``."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything needed to believe and repeat a run."""

    check: str = field(default="", kw_only=True)
    """First 16 hex digits of the SHA-256 of this file with an empty ``check``; empty only before schema version 2."""
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
    block_of: Mapping[str, int] = field(default_factory=dict)
    """Cell key to the place of its block in the spec."""
    task_versions: Mapping[str, int] = field(default_factory=dict)
    """Version of each task when it was asked."""
    metric_versions: Mapping[str, int] = field(default_factory=dict)
    """Version of each metric when its task was asked, as ``task/metric``; 1 where none is said."""
    rescored_identity: Mapping[str, str] = field(default_factory=dict)
    """Question identity at the last scoring, of cells whose task had another version by then."""
    scoring: Scoring | None = None
    """None while nothing was scored, and in runs written before it was recorded."""
    sealed: Mapping[str, FileSeal] = field(default_factory=dict)
    """Counts and checksums of the run's files; one that is being written has none until the run closes."""
    begun: str | None = None
    """When the run was first started: ISO 8601, UTC."""
    ended: str | None = None
    """When its last answer was written; None while it is going on or was cut short."""
    template_dates: tuple[str | None, ...] = ()
    """The date in each block's chats: ``YYYY-MM-DD`` or ``the template's own``; None where no template reads one."""


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A line of ``samples.jsonl``: a sample with its document by hash."""

    task: str
    split: str
    length: int | None
    id: str
    document: str
    """Hash of the document's text, stored once under ``documents/``."""
    document_id: str
    question: str
    references: tuple[str, ...]
    choices: tuple[str, ...]
    gold: int | None
    evidence: tuple[Span, ...] | None
    attributes: Mapping[str, Json]
    seed: int | None = None
    """Of the document, where it was generated; None for a natural one."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A line of ``requests.jsonl``: what was asked, the token ids by hash."""

    check: str = field(default="", kw_only=True)
    """First 16 hex digits of the SHA-256 of the line with an empty ``check``."""
    id: str
    cell: str
    sample_id: str
    document: str
    key: str | None
    """Key of its completion in the journal; None when the sample was skipped."""
    prompt_hash: str | None
    decoding: Generate | None
    """How the answer is generated; None for other work."""
    cut: Cut | None
    option_tokens: tuple[int, ...] = ()
    """Tokens of each option; empty for a generation."""
    demonstrations: tuple[str, ...] = ()
    skipped: str | None = None
    """Why the sample was not asked."""
    refused: str | None = None
    """Why its prompt cannot be made: the sample failed."""
    kind: Literal["generate", "choose", "loss"] | None = None
    """What was asked of the model; None for a skipped sample, and in runs written before kinds were said."""
