"""A task is a value made of functions and settings. It is not a class to inherit from.

A benchmark is a folder with a file ``task.py``. The last statement of this file is ``TASKS = (...)``.
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
        """A list of strings and nulls; empty if the field is absent."""

    def text_lists(self, name: str) -> Sequence[Sequence[str]]:
        """A list of lists of strings; empty if the field is absent."""

    def clean(self, name: str, text: str) -> str:
        """Checks a text that comes from a field read with ``get``."""

    def optional_text(self, name: str) -> str | None:
        """A string field; None if it is absent or null."""

    def optional_truth(self, name: str) -> bool | None:
        """A field that is true or false; None if it is absent or null."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an optional field, not checked."""

    def names(self) -> list[str]:
        """The names of its fields. Use it for an object whose field names are ids."""

    def error(self, name: str, expected: str) -> UsageError:
        """The error for a field that is there but wrong. Raise it."""


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
    """The files of one benchmark: in a folder, in a zip, or on the hub."""

    def find(self, *patterns: str) -> Sequence[File]:
        """Files that match one of the glob patterns (also with ``.gz``), sorted by name; empty if there is none."""

    def need(self, *patterns: str) -> Sequence[File]:
        """As ``find``. If there is no file, the error says what to get, where to find it, and where to put it."""

    def note(self, text: str) -> None:
        """A note about the data, for the reader of the run. A repeated text is kept once."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face dataset repository that serves a split."""

    repo: str
    path: str
    """Path in the repository; for a zip, ``archive.zip::member``."""
    split: str
    revision: str | None = None
    """Commit; None means that the first download looks it up and the lock file keeps it."""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Where the data of a task comes from, and its licence."""

    folder: str
    """Its folder below ``--data DIR``."""
    homepage: str
    licence: str
    citation: str
    instructions: str
    """One sentence: what to get, from where, and where to put it."""
    hub: tuple[HubFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a task: how it is computed, whose rule it follows, and whether higher is better."""

    name: str
    primary: bool = False
    official: str = ""
    """Golden name of the official function that it follows, e.g. ``leval.exam``; empty for a rule of its own."""
    scale: float = 1.0
    """Factor from the official value to 0 to 100. If the official value is 0 to 1, this is 100."""
    of: tuple[str, ...] = ()
    """Names of the metrics whose dataset means are combined; empty for a plain mean over samples."""
    combine: Callable[[Mapping[str, float]], float] | None = None
    """For a derived metric: makes its value from the dataset means."""
    subset: Callable[[Sample], bool] | None = None
    """For a metric over some samples, e.g. a hard subset: says which. ``averages`` names the values."""
    averages: str = ""
    """For a metric over some samples: the metric whose values are averaged."""
    higher_is_better: bool = True
    """False for an error or a loss: tables then mark the smallest value as the best."""
    clusters: Callable[[Sample], str] | None = None
    """Samples with the same text are one cluster of the standard error. None clusters by document."""
    version: int = 1
    """Raise it if the rule of the metric changes and the rest of the task does not."""

    @property
    def takes(self) -> tuple[str, ...]:
        """Names of the values of a sample that it uses."""
        return self.of if self.combine else (self.averages or self.name,)

    def cluster(self, sample: Sample) -> str:
        """The cluster of a sample for the standard error."""
        return sample.document.id if self.clusters is None else self.clusters(sample)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptProtocol:
    """One way to ask a task: its prompt, the room for the answer, and how the answer is scored."""

    name: str
    follows: str
    """Paper or repository@commit that the prompt follows."""
    prompt: Callable[[Sample], Parts]
    """Writes the zero-shot prompt. The texts of its parts, joined, are the text of the prompt."""
    score: Callable[[Sample, Completion], ScoredAnswer]
    demonstrate: Callable[[Sample], Parts] | None = None
    """Writes a demonstration. Its document is a DOCUMENT part, so that ``...`` can replace it. None: no shots."""
    own_shots: int | None = None
    """Number of demonstrations in the prompt itself (lm-eval's tasks). ``--shots`` has then no effect."""
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    options: Callable[[Sample], tuple[str, ...]] | None = None
    """Gives the options whose log-likelihoods are compared; None if the answer is generated."""
    strategy: str = "left"
    cut: CutRule | None = None
    """The benchmark's own cut, for the strategy ``official``."""
    limit_includes_generation: bool = False
    """True if the cap covers prompt and answer (ZeroSCROLLS on APIs, L-Eval); False for the prompt (Llama 2 Long)."""
    note: str = ""
    """What a reader of the number must know, e.g. that the prompt shows the length of the gold answer."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which data of a task is read. A task with natural documents needs only the source and the split."""

    source: Source
    """Where its files are."""
    split: str
    length: int | None = None
    """Tokens that a generated document must have; with None, the task chooses the size."""
    seed: int = 0
    """The seed of generated documents; 0 for natural ones."""
    tokenizer: Tokenizer | None = None
    """The tokenizer of the model that is asked. With it, a generated document has exactly its length; None without a
    model."""


Samples: TypeAlias = Callable[[Selection], Iterable[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A benchmark task."""

    name: str
    suite: str
    title: str
    version: int
    """Raise it if the prompt, the reading of data or a metric changes."""
    samples: Samples
    """Gives the samples of a selection in file order, all questions of a document together."""
    splits: tuple[str, ...]
    split: str
    """The default split."""
    protocols: tuple[PromptProtocol, ...]
    """The first is the default."""
    metrics: tuple[Metric, ...]
    dataset: Dataset
    paper: str
    train_split: str | None = None
    """The split that demonstrations are drawn from."""
    generated: bool = False
    """Whether the task generates its documents, for a length, a seed and a tokenizer. Such a task needs no data
    folder, and each seed gives other documents."""
    note: str = ""
    """Why the default split was chosen, and deviations that a reader must know."""

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
