"""What a benchmark's folder may bring besides its tasks: prediction formats, a submission, golden prompts.

``task.py`` of a folder ends in ``TASKS = (...)``. A benchmark with more also has ``BENCHMARK = Benchmark(...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from evalsuite.interfaces import Tokenizer
from evalsuite.records import IMPORTED, DataFileRecord
from evalsuite.task import Task
from evalsuite.types import Sample


@dataclass(frozen=True, slots=True)
class TaskAnswers:
    """The answers to one task in a prediction file."""

    task: Task
    samples: tuple[Sample, ...]
    """All samples of the task, with or without an answer."""
    texts: Mapping[str, str]
    """Answers by sample id. A sample without an answer is missing."""
    protocol: str = IMPORTED
    notices: tuple[str, ...] = ()
    data: tuple[DataFileRecord, ...] = ()


ReadPredictions: TypeAlias = Callable[[Sequence[Path], Mapping[str, Task], Path | None], Iterator[TaskAnswers]]
"""Takes files, tasks by name and the data folder (None: EVALSUITE_DATA or the hub). Gives the answers by task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """A format of prediction files."""

    name: str
    """Its name for ``score-predictions --suite``."""
    read: ReadPredictions
    model: Callable[[Sequence[Path]], str] | None = None
    """Reads the name of the model from the files; None uses the name of the first file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The file that a leaderboard accepts."""

    suite: str
    """Its name for ``submission --suite``."""
    split: str
    """The split of the leaderboard."""
    tasks: Mapping[str, str]
    """Task name to the leaderboard's name of the task."""
    write: Callable[[Mapping[str, Mapping[str, str]], Mapping[str, Iterable[str]]], str]
    """Takes the answers by leaderboard name and sample id, and the expected ids by leaderboard name. Gives the file."""


class GoldenInputs(Protocol):
    """Gives golden prompt cases the tokenizers and rows that they name."""

    def tokenizer(self, name: str) -> Tokenizer:
        """The tokenizer of a folder."""

    def record(self, name: str) -> Mapping[str, Any]:
        """The generated row with this record name."""

    def published(self, folder: str, name: str, index: int) -> Mapping[str, Any]:
        """A row of a published JSON Lines file, by the dataset's folder, the file's stem and the 0-based line."""


@dataclass(frozen=True, slots=True)
class OfficialPrompt:
    """A prompt as the official script sends it: text or token ids."""

    text: str | None
    """None if the script makes only token ids."""
    ids: Sequence[int] | None
    """None if the script sends only text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenPrompts:
    """How to build the recorded prompts of an official script again."""

    metric: str
    """The name of the cases on the fidelity page, e.g. ``prompts.leval``."""
    field: str
    """The field that marks a case of this script."""
    build: Callable[[Mapping[str, Any], GoldenInputs], OfficialPrompt]
    """Builds the prompt of one case, without reading the expected one."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deliberate difference from the official code."""

    metric: str
    """Golden name, ``<benchmark>.<metric>``; several names are separated by a comma and a space."""
    situation: str
    official: str
    """What the official code does."""
    ours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What a folder brings besides its tasks."""

    predictions: tuple[Predictions, ...] = ()
    submission: Submission | None = None
    prompts: GoldenPrompts | None = None
    deviations: tuple[Deviation, ...] = ()
    """Where a run differs from the official scripts."""
