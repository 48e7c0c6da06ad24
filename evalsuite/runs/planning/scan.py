"""Reads the samples of a task once: counts them, computes question identities, and finds cells that cannot be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from evalsuite.errors import TaskError, UsageError
from evalsuite.interfaces import PromptSide
from evalsuite.prompts.shots import draw
from evalsuite.runs.asking.requests import Question, check_question
from evalsuite.runs.identity import QuestionIdentity, Template, template_of
from evalsuite.runs.planning.plan import CellPlan, UnitSize
from evalsuite.task import PromptProtocol
from evalsuite.types import Sample


class Scan:
    """The result of reading a task's samples once."""

    def __init__(self, cells: Sequence[CellPlan], model: PromptSide) -> None:
        self._cells = [_CellScan(cell, model) for cell in cells]
        self._protocols = {cell.protocol.name: cell.protocol for cell in cells}
        self._sizes: list[UnitSize] = []

    @property
    def sizes(self) -> tuple[UnitSize, ...]:
        """The sizes of the units, in file order."""
        return tuple(self._sizes)

    @property
    def has_text(self) -> bool:
        """Whether any document has a text to ask about."""
        return any(size.characters for size in self._sizes)

    @property
    def cells(self) -> tuple[CellPlan, ...]:
        """The cells that can be asked, with their question identities."""
        return tuple(scan.planned for scan in self._cells if scan.fault is None)

    @property
    def faults(self) -> tuple[tuple[CellPlan, UsageError], ...]:
        """The cells that cannot be asked, and why."""
        return tuple((scan.cell, scan.fault) for scan in self._cells if scan.fault is not None)

    def read(self, documents: Iterable[Sequence[Sample]]) -> None:
        """Reads all samples, document after document.

        Raises:
            UsageError: the data is malformed, or the task's own code fails.
        """
        for samples in documents:
            self._sizes.append(UnitSize(len(samples), len(samples[0].document.text)))
            for sample in samples:
                self._take(sample)

    def _take(self, sample: Sample) -> None:
        templates = {name: _tried(protocol, sample) for name, protocol in self._protocols.items()}
        for scan in self._cells:
            scan.take(sample, templates)


class _CellScan:
    """The part of one cell."""

    def __init__(self, cell: CellPlan, model: PromptSide) -> None:
        self.cell, self._model = cell, model
        self.fault: UsageError | None = None
        self._identity = QuestionIdentity(cell.task, cell.protocol, cell.setting, cell.block)
        self._shown: set[str] = set()
        self._tried = False

    @property
    def planned(self) -> CellPlan:
        return replace(self.cell, identity=self._identity.hexdigest())

    def take(self, sample: Sample, templates: Mapping[str, Template]) -> None:
        if self.fault is not None:
            return
        try:
            shown = draw(self.cell.shots, self.cell.task.name, self.cell.pool, sample)
            self._try_demonstrations(shown)
            if sample.document.text and not self._tried:
                self._tried = True
                check_question(Question(self.cell, sample, self._model))
        except TaskError:
            raise
        except UsageError as error:
            self.fault = error
            return
        self._identity.add(sample, templates[self.cell.protocol.name], [one.id for one in shown])

    def _try_demonstrations(self, shown: Sequence[Sample]) -> None:
        for one in shown:
            if one.id not in self._shown and self.cell.protocol.demonstrate is not None:
                self._shown.add(one.id)
                self.cell.protocol.demonstrate(one)


def _tried(protocol: PromptProtocol, sample: Sample) -> Template:
    """The sample's prompt without its document. Its options are computed, too, to find errors."""
    if protocol.options is not None and sample.document.text:
        protocol.options(sample)
    return template_of(protocol, sample)
