"""The plan: which samples are asked in which settings, known in full before a model answers anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from pathlib import Path

from evalsuite.errors import MissingDataError, UsageError
from evalsuite.prompts.fit import STRATEGIES
from evalsuite.prompts.shots import Shots, demonstration_pool, draw
from evalsuite.records import DataFileRecord, RunSpec
from evalsuite.runs.identity import question_identity
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
        UsageError: data missing or malformed, nothing usable left, too few demonstrations, an option no task knows.
    """
    for option, asked in (("--split", spec.split), ("--limit-documents", spec.limit_documents)):
        _check_names(option, asked, [task.name for task in tasks])
    plans: list[TaskPlan] = []
    notices: dict[str, None] = {}
    data: dict[DataFileRecord, None] = {}
    for length, task in product(spec.lengths, tasks):
        read = _Reader(spec, task, length)
        try:
            plans.append(read.plan())
        except MissingDataError as error:
            if not spec.skip_missing_data:
                raise
            notices[f"left out for want of data: {error}"] = None
            continue
        notices.update(dict.fromkeys(f"{task.name}: {note}" for note in read.notes))
        data.update(dict.fromkeys(read.used))
    if not plans:
        raise MissingDataError("; ".join(notices))
    return Plan(spec, tuple(plans), tuple(notices), tuple(data))


def identities(plan: Plan) -> dict[str, str]:
    """Question identity of every cell."""
    found: dict[str, str] = {}
    for task in plan.tasks:
        for cell in task.cells:
            shown = [
                [demonstration.id for demonstration in draw(cell.shots, cell.task.name, cell.pool, sample)]
                for sample in task.samples
            ]
            spec = plan.spec
            dated = () if spec.template_date is None else (spec.template_date,)
            extra = (spec.demo_documents, spec.chat_template, spec.max_new_tokens, spec.share_prefix, *dated)
            found[cell.setting.key] = question_identity(
                cell.task, cell.protocol, cell.setting, task.samples, shown, extra=extra
            )
    return found


def for_task(asked: str | None, task: str) -> str | None:
    """What an option says of one task: ``a`` for all, ``qasper=a`` for one, or both, separated by commas."""
    chosen = None
    for name, value in _entries(asked):
        if name == task or (name is None and chosen is None):
            chosen = value
    return chosen


def _check_names(option: str, asked: str | None, tasks: Sequence[str]) -> None:
    for name, value in _entries(asked):
        if not value or name not in (None, *tasks):
            entry = value if name is None else f"{name}={value}"
            raise UsageError(f"{option} {asked}: {entry!r} names no value or no task asked ({', '.join(tasks)})")


def _entries(asked: str | None) -> Iterator[tuple[str | None, str]]:
    """Task, None where the entry is for all, and value of every entry of an option."""
    for entry in () if asked is None else asked.split(","):
        name, equals, value = entry.rpartition("=")
        yield (name if equals else None), value


class _Reader:
    """Reads one task's samples at one length, keeping the sources' notes and checksums."""

    def __init__(self, spec: RunSpec, task: Task, length: int | None) -> None:
        self._spec, self._task, self._length = spec, task, length
        self.notes: list[str] = []
        self.used: list[DataFileRecord] = []
        self._sized: dict[str, Document] = {}

    def plan(self) -> TaskPlan:
        spec, task = self._spec, self._task
        protocol = task.protocol(spec.protocol)
        split = for_task(spec.split, task.name) or task.split
        if split not in task.splits:
            raise UsageError(f"task {task.name} has no split {split!r}; it has: {', '.join(task.splits)}")
        samples = self._limited(self._samples(split))
        pool = self._pool(split) if any(spec.shots) and protocol.own_shots is None else ()
        cells = tuple(self._cells(protocol, split, pool))
        for cell in cells:
            draw(cell.shots, task.name, pool, next(sample for sample in samples if sample.document.text))
        return TaskPlan(samples, cells)

    def _cells(self, protocol: PromptProtocol, split: str, pool: tuple[Sample, ...]) -> Iterator[CellPlan]:
        spec, task = self._spec, self._task
        strategy = spec.strategy or protocol.strategy
        if strategy not in STRATEGIES:
            raise UsageError(f"unknown strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
        if strategy == "official" and protocol.cut is None:
            raise UsageError(
                f"task {task.name}, protocol {protocol.name}: there is no official cut; use another --strategy"
            )
        if protocol.own_shots is None and any(spec.shots) and protocol.demonstrate is None:
            raise UsageError(
                f"task {task.name}, protocol {protocol.name}: defined without demonstrations; use --shots 0"
            )
        asked = spec.shots if protocol.own_shots is None else (protocol.own_shots,)
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
                yield self._checked(sample)
        finally:
            self._collect(source.notes, source.used)

    def _checked(self, sample: Sample) -> Sample:
        if "\x00" in sample.document.text or "\x00" in sample.question:
            raise UsageError(
                f"task {self._task.name}, sample {sample.id}: NUL bytes in the text; "
                "the data file is damaged, get it again"
            )
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
            raise UsageError(f"task {self._task.name}: no document with text is left to ask about ({said})")
        repeated = _first_repeated(sample.id for sample in kept)
        if repeated is not None:
            raise UsageError(f"task {self._task.name}: two samples are called {repeated!r}; ids must be unique")
        return kept

    def _limit(self) -> int | None:
        asked = for_task(self._spec.limit_documents, self._task.name)
        if asked is None:
            return None
        if not asked.isdecimal() or int(asked) < 1:
            raise UsageError(f"--limit-documents {asked}: expected a whole number of at least 1, or qasper=N,...")
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


def _first_repeated(ids: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            return name
        seen.add(name)
    return None
