"""A task: a value made of functions and settings, not a class to inherit.

A benchmark is a folder ``tasks/<benchmark>/task.py`` that ends in ``TASKS = (...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from evalsuite.errors import UsageError
from evalsuite.interfaces import CutRule, Tokenizer
from evalsuite.types import Completion, Parts, Sample, ScoredAnswer


class Row(Protocol):
    """One record of a data file. A wrong field raises an error that names file, line and field."""

    @property
    def where(self) -> str:
        """``file:line``, for messages."""

    def text(self, name: str) -> str:
        """A string field."""

    def identifier(self, name: str) -> str:
        """A string field that is not blank."""

    def whole(self, name: str) -> int:
        """An integer field."""

    def rows(self, name: str) -> Sequence[Row]:
        """A list of objects."""

    def row(self, name: str) -> Row:
        """An object."""

    def texts(self, name: str) -> Sequence[str]:
        """A list of strings."""

    def some_texts(self, name: str) -> Sequence[str]:
        """A list of at least one string, such as references."""

    def optional_texts(self, name: str) -> Sequence[str | None]:
        """A list of strings and nulls, empty where it is absent."""

    def text_lists(self, name: str) -> Sequence[Sequence[str]]:
        """A list of lists of strings, empty where it is absent."""

    def clean(self, name: str, text: str) -> str:
        """A text taken out of a field read raw, refused where it can be none."""

    def optional_text(self, name: str) -> str | None:
        """A string field, None where it is absent or null."""

    def optional_truth(self, name: str) -> bool | None:
        """A field that is true or false, None where it is absent or null."""

    def get(self, name: str, default: Any = None) -> Any:
        """The raw value of an optional field, unchecked."""

    def names(self) -> list[str]:
        """The names of its fields, for an object whose fields are ids."""

    def error(self, name: str, expected: str) -> UsageError:
        """The error to raise for a field that is present but wrong."""


class File(Protocol):
    """One data file: plain, gzip, or a member of a zip."""

    @property
    def name(self) -> str:
        """Path inside the dataset's folder, without ``.gz``."""

    def read_text(self) -> str:
        """The whole file as UTF-8."""

    def records(self) -> Iterator[Row]:
        """Rows of JSON Lines, a JSON list, CSV or parquet, by the file's ending."""

    def json(self) -> Row:
        """A file that is one JSON object."""


class Source(Protocol):
    """The files of one benchmark, wherever they live."""

    def find(self, *patterns: str) -> Sequence[File]:
        """Files matching any of the glob patterns (``.gz`` implied), sorted by name, empty when none does."""

    def need(self, *patterns: str) -> Sequence[File]:
        """As ``find``, but none at all is an error that says what to get, from where, and where to put it."""

    def note(self, text: str) -> None:
        """Tells the reader of the run something about the data; repeated texts are kept once."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face dataset repository that serves a split."""

    repo: str
    path: str
    """Path in the repository; for a zip, ``archive.zip::member``."""
    split: str
    revision: str | None = None
    """Commit; None means resolved at first fetch and pinned in the lock file."""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where a task's data comes from and on what terms."""

    folder: str
    """Its folder below ``--data DIR``."""
    homepage: str
    licence: str
    citation: str
    instructions: str
    """One sentence: what to get, from where, and how to lay it out."""
    hub: tuple[HubFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a task, and what a reader of it must know: whose rule it is, which way is better."""

    name: str
    primary: bool = False
    official: str = ""
    """Golden name of the official function whose values it takes, e.g. ``leval.exam``; empty for a rule of its own."""
    scale: float = 1.0
    """What the official value is multiplied by to run from 0 to 100: 100 where it runs from 0 to 1."""
    of: tuple[str, ...] = ()
    """Names of the metrics whose dataset means it combines; empty for a plain mean over samples."""
    combine: Callable[[Mapping[str, float]], float] | None = None
    """For a derived metric: dataset means in, value out."""
    subset: Callable[[Sample], bool] | None = None
    """For a metric over some samples only (a hard subset): which. Its per-sample values come from ``averages``."""
    averages: str = ""
    """The per-sample metric a subset metric averages."""
    higher_is_better: bool = True
    """False for an error or a loss: tables then mark the smallest value as the best."""
    clusters: Callable[[Sample], str] | None = None
    """Samples that share this text are not independent, and its error says so. None takes the sample's document."""
    version: int = 1
    """Goes up when its rule changes and the rest of the task does not."""

    @property
    def takes(self) -> tuple[str, ...]:
        """Names of the per-sample values it is made of."""
        return self.of if self.combine else (self.averages or self.name,)

    def cluster(self, sample: Sample) -> str:
        """What a sample's error is clustered by."""
        return sample.document.id if self.clusters is None else self.clusters(sample)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptProtocol:
    """One way a task may be asked: prompt, answer room and how the answer is read."""

    name: str
    follows: str
    """Paper or repository@commit that the prompt follows."""
    prompt: Callable[[Sample], Parts]
    """The zero-shot prompt; its parts' texts joined are the prompt's text."""
    score: Callable[[Sample, Completion], ScoredAnswer]
    demonstrate: Callable[[Sample], Parts] | None = None
    """A demonstration as parts, its document in a DOCUMENT part that a placeholder can replace; None: no shots."""
    own_shots: int | None = None
    """Demonstrations the prompt holds already (lm-eval's tasks); it is asked so once, whatever ``--shots`` says."""
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    options: Callable[[Sample], tuple[str, ...]] | None = None
    """Continuations whose log-likelihoods are compared; None means the answer is generated."""
    strategy: str = "left"
    cut: CutRule | None = None
    """The benchmark's own rule, used under the strategy ``official``."""
    limit_includes_generation: bool = False
    """Whether the cap covers prompt and answer (ZeroSCROLLS on APIs, L-Eval) or the prompt alone (Llama 2 Long)."""
    note: str = ""
    """What a reader of the number must know, e.g. that the gold length was shown."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a task's data is read; a task whose documents are natural needs the source and the split alone."""

    source: Source
    """Where its files are."""
    split: str
    length: int | None = None
    """Tokens that a generated document must have; None leaves its size to the task."""
    seed: int = 0
    """What a generated document depends on besides its length; 0 for natural ones."""
    tokenizer: Tokenizer | None = None
    """The model's, so that a generated document has exactly its length in the tokens of the model asked; None where
    no model is at hand."""


Samples: TypeAlias = Callable[[Selection], Iterable[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A benchmark task."""

    name: str
    suite: str
    title: str
    version: int
    """Goes up when prompt, data reading or metric changes."""
    samples: Samples
    """The samples selected, in file order, documents contiguous."""
    splits: tuple[str, ...]
    split: str
    """The default split."""
    protocols: tuple[PromptProtocol, ...]
    """The first is the default."""
    metrics: tuple[Metric, ...]
    dataset: Dataset
    paper: str
    train_split: str | None = None
    """Where demonstrations are drawn from."""
    generated: bool = False
    """Whether it makes its documents: of the length, with the seed and in the tokens asked for. It needs no data
    folder, and every seed gives documents of its own."""
    note: str = ""
    """Why the default split is what it is, and deviations a reader must know."""

    def protocol(self, name: str | None) -> PromptProtocol:
        """The protocol of that name, or the default.

        Raises:
            UsageError: the task declares no such protocol.
        """
        if name is None:
            return self.protocols[0]
        for protocol in self.protocols:
            if protocol.name == name:
                return protocol
        known = ", ".join(p.name for p in self.protocols)
        raise UsageError(f"task {self.name!r} has no protocol {name!r}; it has: {known}")
