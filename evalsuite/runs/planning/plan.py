"""The plan: which questions are asked in which cells. It is complete before a model is asked.

A plan has no texts. The samples of a task are read again, document after document, when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from evalsuite.cells import Setting
from evalsuite.errors import UsageError, unknown
from evalsuite.prompts.shots import Shots
from evalsuite.records import Block, DataFileRecord, RunSpec
from evalsuite.runs.planning.reading import Reading
from evalsuite.task import PromptProtocol, Task
from evalsuite.types import Sample


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One setting of one task: how its samples are asked."""

    setting: Setting
    task: Task
    protocol: PromptProtocol
    block: Block
    shots: Shots
    pool: tuple[Sample, ...]
    """The samples that demonstrations are drawn from; empty for zero-shot."""
    identity: str = ""
    """Question identity; empty until the samples are read."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The questions about one document of a task, in all cells. It is the unit of work and of resuming."""

    id: str
    cells: tuple[CellPlan, ...]
    samples: tuple[Sample, ...]


class UnitSize(NamedTuple):
    """The size of a unit."""

    samples: int
    characters: int
    """Characters of its document."""


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task at one length: where its samples are read, and its cells."""

    reading: Reading
    cells: tuple[CellPlan, ...]
    sizes: tuple[UnitSize, ...]
    """The sizes of its units, in file order."""

    @property
    def samples(self) -> int:
        """Number of samples in each cell."""
        return sum(size.samples for size in self.sizes)

    def units(self) -> Iterator[Unit]:
        """Its units in file order. Each is read when it is needed."""
        for samples in self.reading.documents():
            yield Unit(f"{self.reading.key}/{samples[0].document.id}", self.cells, samples)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run will ask."""

    spec: RunSpec
    tasks: tuple[TaskPlan, ...]
    notices: tuple[str, ...]
    data: tuple[DataFileRecord, ...]
    defects: tuple[str, ...] = ()
    """Errors in the code of tasks. These tasks have no table."""

    @property
    def cells(self) -> tuple[CellPlan, ...]:
        """All cells, in the order of the tasks."""
        return tuple(cell for task in self.tasks for cell in task.cells)

    @property
    def asked(self) -> int:
        """Number of samples in all cells."""
        return sum(task.samples * len(task.cells) for task in self.tasks)

    @property
    def identities(self) -> dict[str, str]:
        """Question identity of every cell."""
        return {cell.setting.key: cell.identity for cell in self.cells}

    def units(self) -> Iterator[Unit]:
        """All units, task after task, in file order."""
        return chain.from_iterable(task.units() for task in self.tasks)

    def unit(self, name: str) -> Unit:
        """The unit with this id. Only its own task is read.

        Raises:
            UsageError: there is none.
        """
        for task in self.tasks:
            if name.startswith(f"{task.reading.key}/"):
                for unit in task.units():
                    if unit.id == name:
                        return unit
        raise UsageError(unknown("unit", name, (task.reading.key for task in self.tasks)))
