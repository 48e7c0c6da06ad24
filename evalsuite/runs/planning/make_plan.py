"""Makes the plan: reads the data once, makes the cells, and reports all problems together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

from evalsuite.errors import ImpossibleError, MissingDataError, TaskError, UsageError
from evalsuite.interfaces import PromptSide
from evalsuite.records import Block, DataFileRecord, RunSpec
from evalsuite.runs.planning.layout import Layout, Wish
from evalsuite.runs.planning.per_task import check_names
from evalsuite.runs.planning.plan import CellPlan, Plan, TaskPlan
from evalsuite.runs.planning.reading import Reading, Told
from evalsuite.runs.planning.scan import Scan
from evalsuite.task import Task


def make_plan(spec: RunSpec, tasks: Sequence[Sequence[Task]], model: PromptSide) -> Plan:
    """Reads the data once and makes all cells.

    Args:
        spec: what the run asks.
        tasks: the tasks of each block of the spec.
        model: its tokenizer and limits, to find prompts that can never fit.

    Raises:
        UsageError: data is missing or wrong, nothing is left to ask, there are too few demonstrations, a prompt cannot
            fit, or no task knows an option. All problems are reported together.
    """
    for block, asked in zip(spec.blocks, tasks, strict=True):
        for option, values in (("--split", block.split), ("--limit-documents", block.limit_documents)):
            check_names(option, values, [task.name for task in asked])
    found = _Found(spec, model)
    for reading, blocks in found.readings(_wishes(spec.blocks, tasks)):
        found.take(reading, blocks)
    return found.plan()


def _wishes(blocks: Sequence[Block], tasks: Sequence[Sequence[Task]]) -> Iterator[Wish]:
    for block, asked in zip(blocks, tasks, strict=True):
        for length, task in product(block.lengths, asked):
            seeds = block.seeds if task.generated else (None,)
            yield from (Wish(block, task, length, seed) for seed in seeds)


class _Found:
    """Collects what can be asked, and all problems."""

    def __init__(self, spec: RunSpec, model: PromptSide) -> None:
        self._spec, self._model = spec, model
        self._plans: list[TaskPlan] = []
        self._notices: dict[str, None] = {}
        self._files: dict[DataFileRecord, None] = {}
        self._refused: dict[str, UsageError] = {}
        self._defects: dict[str, None] = {}

    def readings(self, wishes: Iterator[Wish]) -> list[tuple[Reading, list[Block]]]:
        """What must be read, each only once, and the blocks that ask it."""
        found: dict[str, tuple[Reading, list[Block]]] = {}
        for wish in wishes:
            try:
                reading = wish.reading(self._spec, self._model.tokenizer)
            except UsageError as error:
                self._refuse(error)
                continue
            first, blocks = found.setdefault(reading.key, (reading, []))
            if first.limit != reading.limit:
                self._refuse(UsageError(f"{reading.key}: two blocks limit its documents differently; give one limit"))
            blocks.append(wish.block)
        return list(found.values())

    def take(self, reading: Reading, blocks: Sequence[Block]) -> None:
        """Reads the samples of a task and makes its cells."""
        told = Told()
        try:
            self._plans.extend(self._planned(reading, blocks, told))
        except TaskError as error:
            self._defects[str(error)] = None
            return
        except MissingDataError as error:
            if not self._spec.skip_missing_data:
                self._refuse(error)
            self._notices[f"left out for want of data: {error}"] = None
            return
        except UsageError as error:
            self._refuse(error)
            return
        self._notices.update(dict.fromkeys(f"{reading.task.name}: {note}" for note in told.notes))
        self._files.update(dict.fromkeys(told.files))

    def plan(self) -> Plan:
        """The plan of everything that can be asked.

        Raises:
            UsageError: something cannot be asked, and may not be left out.
        """
        self._check_names_differ()
        refused = [error for error in self._refused.values() if not self._may_skip(error)]
        if refused:
            raise refused[0] if len(refused) == 1 else ImpossibleError((*map(str, refused), *self._defects))
        for said, problems in (("it cannot be asked", self._refused), ("its own code is at fault", self._defects)):
            self._notices.update(dict.fromkeys(f"left out, {said}: {problem}" for problem in problems))
        if not self._plans:
            raise MissingDataError("; ".join(self._notices))
        return Plan(self._spec, tuple(self._plans), tuple(self._notices), tuple(self._files), tuple(self._defects))

    def _planned(self, reading: Reading, blocks: Sequence[Block], told: Told) -> Iterator[TaskPlan]:
        layout = Layout(reading, told)
        scan = Scan([cell for block in blocks for cell in layout.cells(block)], self._model)
        scan.read(reading.documents(told))
        if not scan.has_text:
            said = "; ".join(told.notes) or "check --data and --split"
            raise MissingDataError(f"task {reading.task.name}: no document with text is left to ask about ({said})")
        several = len(scan.cells) + len(scan.faults) > 1
        for cell, error in scan.faults:
            self._refuse(_named(cell, error, several=several))
        if scan.cells:
            yield TaskPlan(reading, scan.cells, scan.sizes)

    def _refuse(self, error: UsageError) -> None:
        self._refused.setdefault(str(error), error)

    def _may_skip(self, error: UsageError) -> bool:
        return self._spec.skip_impossible and not isinstance(error, MissingDataError)

    def _check_names_differ(self) -> None:
        keys = Counter(cell.setting.key for plan in self._plans for cell in plan.cells)
        for key, count in keys.items():
            if count > 1:
                self._refuse(UsageError(f"{key} is asked by {count} blocks; ask it in one"))


def _named(cell: CellPlan, error: UsageError, *, several: bool) -> UsageError:
    """The error with its task and, if the task has several cells, its cell."""
    setting = cell.setting
    size = "" if setting.length is None else f", length {setting.length}"
    asked = f" ({setting.shots}-shot, cap {setting.max_prompt_tokens or 'model'}{size})" if several else ""
    said = str(error) if str(error).startswith(f"task {setting.task}") else f"task {setting.task}: {error}"
    return UsageError(f"{said}{asked}")
