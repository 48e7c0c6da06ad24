"""What a benchmark's folder may bring besides its tasks: prediction formats, a submission, golden prompts.

A folder's ``task.py`` ends in ``TASKS = (...)``; where it has more, it also says ``BENCHMARK = Benchmark(...)``.
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
    """The answers to one task that a prediction file holds."""

    task: Task
    samples: tuple[Sample, ...]
    """All that are asked, answered or not."""
    texts: Mapping[str, str]
    """Answers by sample id; a sample without one is missing."""
    protocol: str = IMPORTED
    notices: tuple[str, ...] = ()
    data: tuple[DataFileRecord, ...] = ()


ReadPredictions: TypeAlias = Callable[[Sequence[Path], Mapping[str, Task], Path | None], Iterator[TaskAnswers]]
"""Files, tasks by name and the data folder (None: EVALSUITE_DATA, else the hub) in; the answers of each task out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """A published format of answers."""

    name: str
    """What ``score-predictions --suite`` calls it."""
    read: ReadPredictions
    model: Callable[[Sequence[Path]], str] | None = None
    """Reads the model's name out of the files; None takes the first file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The file a leaderboard takes."""

    suite: str
    """What ``submission --suite`` calls it."""
    split: str
    """The split a leaderboard judges."""
    tasks: Mapping[str, str]
    """Task name to the name the leaderboard has for it."""
    write: Callable[[Mapping[str, Mapping[str, str]], Mapping[str, Iterable[str]]], str]
    """Answers by leaderboard name and sample id, and the expected ids by leaderboard name, in; the file's text out."""


class GoldenInputs(Protocol):
    """Where golden prompt cases find what they name."""

    def tokenizer(self, name: str) -> Tokenizer:
        """A tokenizer by its folder's name."""

    def record(self, name: str) -> Mapping[str, Any]:
        """A generated row by its record's name."""

    def published(self, folder: str, name: str, index: int) -> Mapping[str, Any]:
        """A row of a published JSON Lines file, by the dataset's folder, the file's stem and the 0-based line."""


@dataclass(frozen=True, slots=True)
class OfficialPrompt:
    """A prompt as the official script sends it."""

    text: str | None
    """None where the script makes token ids only."""
    ids: Sequence[int] | None
    """None where the script sends text only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenPrompts:
    """How the recorded prompts of an official script are built again."""

    metric: str
    """The name under which they are counted, e.g. ``prompts.leval``."""
    field: str
    """A case that has this field is one of them."""
    build: Callable[[Mapping[str, Any], GoldenInputs], OfficialPrompt]
    """The prompt of one case, without a look at what is expected."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deliberate difference from official code."""

    metric: str
    """Golden name, ``<benchmark>.<metric>``; several are separated by a comma and a space."""
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
    """Where a run does other than the official scripts."""
