"""The spec of a run, and what a run records: questions, model, data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evalsuite.cells import Setting
from evalsuite.types import Cut, Json, Span
from evalsuite.work import Generate

IMPORTED = "imported"
"""The protocol and strategy of answers that another program made. Their prompts are unknown."""

SCHEMA_VERSION = 2
"""Raised if the meaning or format of a file in a run directory changes."""
SEALED_SINCE = 2
"""Run directories of earlier schema versions have no seals. They can be read, and a note says so."""
OLDEST_SCHEMA = 1
"""The earliest schema version that can be read."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The model that was evaluated, known by its content, never by its path."""

    name: str
    """Name for display: the last part of a path, the id on the hub, or the id on the server."""
    hash: str
    """SHA-256 of weights, config and tokenizer files (or of the id and revision on the server), and of the load options
    that change results."""
    revision: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    """Load options that change results: dtype, RoPE override, quantization, adapter."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What a run records about its engine."""

    scheme: str
    version: str
    model: ModelIdentity
    max_model_len: int | None
    """Maximum tokens of prompt and answer; None if unknown."""
    max_model_len_source: str = "config"
    tokenizer: str = ""
    """Hash of the tokenizer's files."""
    notes: tuple[str, ...] = ()
    """Notes for the reader, such as a fall-back that was used."""


ALL = "*"
"""In a mapping by task: stands for every task that is not named."""


@dataclass(frozen=True, slots=True)
class Block:
    """Tasks and their options. Every task is asked with every combination of the lists."""

    tasks: tuple[str, ...]
    """Names of tasks or suites."""
    shots: tuple[int, ...] = (0,)
    max_prompt_tokens: tuple[int | None, ...] = (None,)
    lengths: tuple[int | None, ...] = (None,)
    seeds: tuple[int, ...] = (0,)
    """Seeds of the draw of demonstrations, and of generated documents."""
    protocol: str | None = None
    """A protocol that all tasks have; None uses the default of each task."""
    strategy: str | None = None
    """None uses the default of the protocol."""
    split: Mapping[str, str] = field(default_factory=dict)
    """The split of each task; ``*`` stands for all others. A task without an entry uses its default."""
    limit_documents: Mapping[str, int] = field(default_factory=dict)
    """Number of documents with text that are asked, by task; ``*`` stands for all others."""
    demo_draw: Literal["task", "sample"] = "task"
    demo_documents: Literal["whole", "placeholder"] = "whole"
    chat_template: bool = False
    template_date: str | None = None
    """Date that a chat template prints, ``YYYY-MM-DD``; None uses the template's default date, else a constant."""
    share_prefix: Literal["off", "aligned"] = "off"
    max_new_tokens: int | None = None
    """Overrides the protocol's limit."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What a run asks: one model, and all options that can change results."""

    model: str
    blocks: tuple[Block, ...]
    model_name: str | None = None
    """Name of the model in tables; None uses its own name."""
    max_model_len: int | None = None
    data: str | None = None
    skip_missing_data: bool = False
    """Leave out tasks whose data is missing, with a note. Otherwise the run is refused."""
    skip_impossible: bool = False
    """Leave out cells that cannot be asked, with a note. Otherwise the run is refused."""
    include_paths: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of all tasks and suites of the blocks, each once."""
        return tuple(dict.fromkeys(name for block in self.blocks for name in block.tasks))


@dataclass(frozen=True, slots=True)
class DataFileRecord:
    """A data file that was read, with its checksum."""

    task: str
    name: str
    sha256: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class FileSeal:
    """Line count and checksum of a finished file of a run directory."""

    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the answers of a run were last scored."""

    evalsuite_version: str
    commit: str | None
    task_versions: Mapping[str, int]
    """Version of each task that scored its answers."""
    metric_versions: Mapping[str, int] = field(default_factory=dict)
    """Version of each metric, as ``task/metric``."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything needed to trust and repeat a run."""

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
    """Notes for the reader: missing texts, demonstrations from the evaluated split, how labels were read."""
    packages: Mapping[str, str]
    commit: str | None
    hardware: Mapping[str, str]
    provenance: Literal["generated", "imported"] = "generated"
    engine_changes: tuple[EngineInfo, ...] = ()
    block_of: Mapping[str, int] = field(default_factory=dict)
    """Cell key to the index of its block in the spec."""
    task_versions: Mapping[str, int] = field(default_factory=dict)
    """Version of each task when it was asked."""
    metric_versions: Mapping[str, int] = field(default_factory=dict)
    """Version of each metric when its task was asked, as ``task/metric``; 1 if it is not listed."""
    rescored_identity: Mapping[str, str] = field(default_factory=dict)
    """Question identity at the last scoring, for cells whose task had changed its version since it was asked."""
    scoring: Scoring | None = None
    """None while nothing is scored, and in older runs."""
    sealed: Mapping[str, FileSeal] = field(default_factory=dict)
    """Line counts and checksums of the run's files. A file gets its entry when the run has finished writing it."""
    begun: str | None = None
    """When the run was first started: ISO 8601, UTC."""
    ended: str | None = None
    """When its last answer was written; None while the run is not finished."""
    template_dates: tuple[str | None, ...] = ()
    """The date in the chats of each block: ``YYYY-MM-DD`` or ``the template's own``; None without a date."""


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A line of ``samples.jsonl``: a sample. The document is named by its hash."""

    task: str
    split: str
    length: int | None
    id: str
    document_hash: str
    """Hash of the document's text; ``documents/`` has the text. The file calls this field ``document``."""
    document_id: str
    question: str
    references: tuple[str, ...]
    choices: tuple[str, ...]
    gold: int | None
    evidence: tuple[Span, ...] | None
    attributes: Mapping[str, Json]
    seed: int | None = None
    """Seed of a generated document; None for a natural one."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A line of ``requests.jsonl``: what was asked. The token ids are named by their hash."""

    check: str = field(default="", kw_only=True)
    """First 16 hex digits of the SHA-256 of the line with an empty ``check``."""
    id: str
    cell: str
    sample_id: str
    document_hash: str
    """The file calls this field ``document``."""
    key: str | None
    """Key of its completion in the journal; None if the sample was not asked."""
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
    """Why its prompt cannot be made. The sample then failed."""
    kind: Literal["generate", "choose", "loss"] | None = None
    """The kind of work; None if the sample was not asked, and in older runs."""
