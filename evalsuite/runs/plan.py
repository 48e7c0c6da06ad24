"""The plan: which samples are asked in which settings, known in full before a model answers anything."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from pathlib import Path

from evalsuite.errors import ImpossibleError, MissingDataError, TaskError, UsageError
from evalsuite.prompts.fit import STRATEGIES
from evalsuite.prompts.shots import Shots, demonstration_pool, draw
from evalsuite.records import DataFileRecord, RunSpec
from evalsuite.runs.checks import try_demonstrations, try_prompts
from evalsuite.runs.identity import cell_identity
from evalsuite.runs.per_task import check_names, for_task
from evalsuite.sources import open_source
from evalsuite.task import PromptProtocol, Task
from evalsuite.types import Document, Sample, Setting


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One setting of one task: who is asked, and how."""

    setting: Setting
    task: Task
    protocol: PromptProtocol
    shots: Shots
    pool: tuple[Sample, ...]
    """What demonstrations are drawn from; empty for zero-shot."""


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task at one length: its samples and all the settings they are asked in."""

    samples: tuple[Sample, ...]
    cells: tuple[CellPlan, ...]
    task: str = ""

    def documents(self) -> Iterator[tuple[Sample, ...]]:
        """The samples of one document after the other, in file order."""
        for _, group in groupby(self.samples, key=lambda sample: sample.document.id):
            yield tuple(group)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run will ask."""

    spec: RunSpec
    tasks: tuple[TaskPlan, ...]
    notices: tuple[str, ...]
    data: tuple[DataFileRecord, ...]
    defects: tuple[str, ...] = ()
    """Faults in tasks' own code that cost them their tables."""
    checked: bool = False
    """Whether every cell is known to fit the model."""

    @property
    def cells(self) -> tuple[CellPlan, ...]:
        """All cells, tasks in the order asked."""
        return tuple(cell for task in self.tasks for cell in task.cells)

    @property
    def asked(self) -> int:
        """Samples asked, summed over cells."""
        return sum(len(task.samples) * len(task.cells) for task in self.tasks)


def make_plan(spec: RunSpec, tasks: Sequence[Task]) -> Plan:
    """Reads the data and lays out every cell.

    Raises:
        UsageError: data missing or malformed, nothing usable left, too few demonstrations, an option no task knows;
            all that cannot be asked is told at once.
    """
    for option, asked in (("--split", spec.split), ("--limit-documents", spec.limit_documents)):
        check_names(option, asked, [task.name for task in tasks])
    found = _Found(spec)
    for length, task in product(spec.lengths, tasks):
        found.read(_Reader(spec, task, length))
    return found.plan()


class _Found:
    """What the tasks of a run have, and all that keeps some of them from being asked."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._plans: list[TaskPlan] = []
        self._notices: dict[str, None] = {}
        self._data: dict[DataFileRecord, None] = {}
        self._refused: dict[str, UsageError] = {}
        self._defects: dict[str, None] = {}

    def read(self, reader: _Reader) -> None:
        try:
            plan = reader.plan()
        except TaskError as error:
            self._defects[str(error)] = None
            return
        except MissingDataError as error:
            if self._spec.skip_missing_data:
                self._notices[f"left out for want of data: {error}"] = None
            else:
                self._refused[str(error)] = error
            return
        except UsageError as error:
            self._refused[str(error)] = error
            return
        self._refused.update((str(error), error) for error in reader.impossible)
        self._plans.extend([plan] if plan.cells else [])
        self._notices.update(dict.fromkeys(f"{plan.task}: {note}" for note in reader.notes))
        self._data.update(dict.fromkeys(reader.used))

    def plan(self) -> Plan:
        refused = [error for error in self._refused.values() if not self._may_skip(error)]
        if refused:
            raise refused[0] if len(refused) == 1 else ImpossibleError((*map(str, refused), *self._defects))
        for said, problems in (("it cannot be asked", self._refused), ("its own code is at fault", self._defects)):
            self._notices.update(dict.fromkeys(f"left out, {said}: {problem}" for problem in problems))
        if not self._plans:
            raise MissingDataError("; ".join(self._notices))
        return Plan(self._spec, tuple(self._plans), tuple(self._notices), tuple(self._data), tuple(self._defects))

    def _may_skip(self, error: UsageError) -> bool:
        return self._spec.skip_impossible and not isinstance(error, MissingDataError)


def identities(plan: Plan) -> dict[str, str]:
    """Question identity of every cell."""
    found: dict[str, str] = {}
    for task in plan.tasks:
        for cell in task.cells:
            shown = [
                [demonstration.id for demonstration in draw(cell.shots, cell.task.name, cell.pool, sample)]
                for sample in task.samples
            ]
            asked = zip(task.samples, shown, strict=True)
            found[cell.setting.key] = cell_identity(plan.spec, cell.task, cell.protocol, cell.setting, asked)
    return found


class _Reader:
    """Reads one task's samples at one length, keeping the sources' notes and checksums."""

    def __init__(self, spec: RunSpec, task: Task, length: int | None) -> None:
        self._spec, self._task, self._length = spec, task, length
        self.notes: list[str] = []
        self.used: list[DataFileRecord] = []
        self.impossible: list[UsageError] = []
        self._sized: dict[str, Document] = {}

    def plan(self) -> TaskPlan:
        spec, task = self._spec, self._task
        protocol = task.protocol(spec.protocol)
        split = for_task(spec.split, task.name) or task.split
        if split not in task.splits:
            raise UsageError(f"task {task.name} has no split {split!r}; it has: {', '.join(task.splits)}")
        shots = self._shots(protocol)
        samples = self._limited(self._samples(split))
        pool = self._pool(split) if any(shots) and protocol.own_shots is None else ()
        cells = tuple(self._cells(protocol, split, pool, shots))
        try_prompts(protocol, samples)
        return TaskPlan(samples, tuple(cell for cell in cells if self._has_demonstrations(cell, samples)), task.name)

    def _shots(self, protocol: PromptProtocol) -> tuple[int, ...]:
        """The demonstrations the protocol can be asked with, of those wished."""
        wished = self._spec.shots
        if protocol.own_shots is not None:
            return (protocol.own_shots,)
        if protocol.demonstrate is not None or not any(wished):
            return wished
        said = f"protocol {protocol.name}: defined without demonstrations"
        if 0 not in wished:
            raise UsageError(f"task {self._task.name}, {said}; use --shots 0")
        self.notes.append(f"{said}, asked 0-shot only")
        return (0,)

    def _has_demonstrations(self, cell: CellPlan, samples: tuple[Sample, ...]) -> bool:
        try:
            try_demonstrations(cell, samples)
        except TaskError:
            raise
        except UsageError as error:
            self.impossible.append(error)
            return False
        return True

    def _cells(
        self, protocol: PromptProtocol, split: str, pool: tuple[Sample, ...], asked: tuple[int, ...]
    ) -> Iterator[CellPlan]:
        spec, task = self._spec, self._task
        strategy = spec.strategy or protocol.strategy
        if strategy not in STRATEGIES:
            raise UsageError(f"unknown strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
        if strategy == "official" and protocol.cut is None:
            raise UsageError(
                f"task {task.name}, protocol {protocol.name}: there is no official cut; use another --strategy"
            )
        for shots, cap in product(asked, spec.max_prompt_tokens):
            setting = Setting(
                task.suite, task.name, split, protocol.name, shots, spec.seed, cap, self._length, strategy
            )
            count = shots if protocol.own_shots is None else 0
            drawn = Shots(count, spec.seed, spec.demo_draw, spec.demo_documents)
            yield CellPlan(setting, task, protocol, drawn, pool if count else ())

    def _samples(self, split: str) -> Iterator[Sample]:
        folder = self._spec.data or os.environ.get("EVALSUITE_DATA")
        root = None if folder is None else Path(folder)
        if self._length is not None:
            root = (root or Path()) / f"length-{self._length}"
        source = open_source(self._task.dataset, root, split=split, task=self._task.name)
        try:
            for sample in self._task.samples(source, split):
                yield self._sized_as_asked(sample)
        finally:
            self._collect(source.notes, source.used)

    def _sized_as_asked(self, sample: Sample) -> Sample:
        if self._length is None:
            return sample
        document = self._sized.setdefault(sample.document.id, replace(sample.document, length=self._length))
        return replace(sample, document=document)

    def _collect(self, notes: Iterable[str], used: Iterable[DataFileRecord]) -> None:
        self.notes.extend(note for note in notes if note not in self.notes)
        self.used.extend(record for record in used if record not in self.used)

    def _limited(self, samples: Iterable[Sample]) -> tuple[Sample, ...]:
        kept = tuple(_first_documents(samples, self._limit()))
        if not any(sample.document.text for sample in kept):
            said = "; ".join(self.notes) or "check --data and --split"
            raise MissingDataError(f"task {self._task.name}: no document with text is left to ask about ({said})")
        return kept

    def _limit(self) -> int | None:
        asked = for_task(self._spec.limit_documents, self._task.name)
        if asked is None:
            return None
        if not re.fullmatch("[0-9]{1,18}", asked) or int(asked) < 1:
            raise UsageError(f"--limit-documents {asked[:60]}: expected a whole number of at least 1, or qasper=N,...")
        return int(asked)

    def _pool(self, split: str) -> tuple[Sample, ...]:
        train = self._task.train_split
        if train is not None and train != split:
            try:
                pool = demonstration_pool(self._samples(train))
            except MissingDataError:
                pool = ()
            if pool:
                return pool
        self.notes.append(f"demonstrations come from other documents of the {split} split (no usable training split)")
        return demonstration_pool(self._samples(split))


def _first_documents(samples: Iterable[Sample], limit: int | None) -> Iterator[Sample]:
    """Samples of the first ``limit`` documents whose text is present; empty ones in between are kept, not counted."""
    present: set[str] = set()
    for sample in samples:
        if sample.document.text:
            present.add(sample.document.id)
        if limit is not None and len(present) > limit:
            return
        yield sample
