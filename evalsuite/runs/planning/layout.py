"""Makes cells from blocks and tasks, before the data is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from evalsuite.cells import Setting
from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.prompts.shots import Shots
from evalsuite.prompts.strategies import STRATEGIES
from evalsuite.records import Block, RunSpec
from evalsuite.runs.planning.per_task import for_task
from evalsuite.runs.planning.plan import CellPlan
from evalsuite.runs.planning.reading import Reading, Told
from evalsuite.task import PromptProtocol, Task
from evalsuite.types import Sample


@dataclass(frozen=True, slots=True)
class Wish:
    """A block, one of its tasks and a length; for generated documents also a seed."""

    block: Block
    task: Task
    length: int | None
    seed: int | None

    def reading(self, spec: RunSpec, tokenizer: Tokenizer) -> Reading:
        """Where its samples are read.

        Raises:
            UsageError: the task has no such split.
        """
        split = for_task(self.block.split, self.task.name) or self.task.split
        if split not in self.task.splits:
            raise UsageError(f"task {self.task.name} has no split {split!r}; it has: {', '.join(self.task.splits)}")
        limit = for_task(self.block.limit_documents, self.task.name)
        return Reading(self.task, split, self.length, limit, spec.data, tokenizer, self.seed)


class Layout:
    """The cells of one reading, for all blocks. The pool of demonstrations is read once."""

    def __init__(self, reading: Reading, told: Told) -> None:
        self._reading, self._told = reading, told
        self._pool: tuple[Sample, ...] | None = None

    def cells(self, block: Block) -> Iterator[CellPlan]:
        """The cells of one block.

        Raises:
            UsageError: the task cannot be asked so.
        """
        protocol = self._reading.task.protocol(block.protocol)
        strategy = self._strategy(protocol, block)
        seeds = block.seeds if self._reading.seed is None else (self._reading.seed,)
        for seed, shots, cap in product(seeds, self._shots(protocol, block), block.max_prompt_tokens):
            count = shots if protocol.own_shots is None else 0
            drawn = Shots(count, seed, block.demo_draw, block.demo_documents)
            setting = self._setting(protocol, strategy, shots, seed, cap)
            yield CellPlan(setting, self._reading.task, protocol, block, drawn, self.pool() if count else ())

    def pool(self) -> tuple[Sample, ...]:
        """The samples that demonstrations are drawn from."""
        if self._pool is None:
            self._pool = self._reading.pool(self._told)
        return self._pool

    def _setting(self, protocol: PromptProtocol, strategy: str, shots: int, seed: int, cap: int | None) -> Setting:
        reading = self._reading
        task = reading.task
        return Setting(task.suite, task.name, reading.split, protocol.name, shots, seed, cap, reading.length, strategy)

    def _strategy(self, protocol: PromptProtocol, block: Block) -> str:
        strategy = block.strategy or protocol.strategy
        if strategy not in STRATEGIES:
            raise UsageError(f"unknown strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
        if strategy == "official" and protocol.cut is None:
            said = f"task {self._reading.task.name}, protocol {protocol.name}: there is no official cut"
            raise UsageError(f"{said}; use another --strategy")
        return strategy

    def _shots(self, protocol: PromptProtocol, block: Block) -> tuple[int, ...]:
        """The numbers of shots of the block that the protocol allows."""
        if protocol.own_shots is not None:
            return (protocol.own_shots,)
        if protocol.demonstrate is not None or not any(block.shots):
            return block.shots
        said = f"protocol {protocol.name}: defined without demonstrations"
        if 0 not in block.shots:
            raise UsageError(f"task {self._reading.task.name}, {said}; use --shots 0")
        self._told.take((f"{said}, asked 0-shot only",), ())
        return (0,)
