"""What is tried before a model is loaded: every prompt and option once, every demonstration that will be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from evalsuite.prompts.shots import draw
from evalsuite.types import Sample

if TYPE_CHECKING:
    from evalsuite.runs.plan import CellPlan
    from evalsuite.task import PromptProtocol


def try_prompts(protocol: PromptProtocol, samples: Iterable[Sample]) -> None:
    """Builds every sample's prompt and options.

    Raises:
        TaskError: the task's own code fails, or gives what cannot be asked.
    """
    for sample in samples:
        protocol.prompt(sample)
        if protocol.options is not None and sample.document.text:
            protocol.options(sample)


def try_demonstrations(cell: CellPlan, samples: Iterable[Sample]) -> None:
    """Draws the demonstrations of a cell and builds each that will be shown.

    Raises:
        UsageError: there are too few to draw from.
        TaskError: the task's own code fails.
    """
    if not cell.shots.count or cell.protocol.demonstrate is None:
        return
    shown: dict[str, Sample] = {}
    for sample in _drawn_for(cell, samples):
        shown.update((one.id, one) for one in draw(cell.shots, cell.task.name, cell.pool, sample))
    for one in shown.values():
        cell.protocol.demonstrate(one)


def _drawn_for(cell: CellPlan, samples: Iterable[Sample]) -> Iterable[Sample]:
    """One sample a document where the draw depends on no more; the first with text first, it is named in errors."""
    ordered = sorted(samples, key=lambda sample: not sample.document.text)
    if cell.shots.draw == "sample":
        return ordered
    first: dict[str, Sample] = {}
    for sample in ordered:
        first.setdefault(sample.document.id, sample)
    return first.values()
