"""Aggregating: the scores of one cell become its metrics, clustered errors and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evalsuite.stats.clustered import Estimate, clustered_mean, jackknife
from evalsuite.task import Metric, Task
from evalsuite.types import Cell, Sample, Score, Setting

_COUNTED = ("scored", "unscorable")


@dataclass(frozen=True, slots=True)
class CellScores:
    """The scores of one cell, and how many samples were asked."""

    setting: Setting
    task: Task
    samples: Mapping[str, Sample]
    """Every sample asked, by id."""
    scores: tuple[Score, ...]

    @property
    def counted(self) -> tuple[Score, ...]:
        """Scores that enter the mean."""
        return tuple(score for score in self.scores if score.status in _COUNTED)

    @property
    def missing(self) -> int:
        """Samples without an outcome: the run was interrupted."""
        return len(self.samples) - len(self.scores)


def cells(cell: CellScores, model: str, *, allow_incomplete: bool = False) -> Iterator[Cell]:
    """One cell a metric.

    Args:
        cell: the scores of one setting.
        model: for display.
        allow_incomplete: give the value over the samples there are, though some failed or are missing.
    """
    for metric in cell.task.metrics:
        yield _cell(cell if metric.subset is None else _within(cell, metric.subset), metric, model, allow_incomplete)


def _within(cell: CellScores, subset: Callable[[Sample], bool]) -> CellScores:
    """The samples of a subset alone: its metric counts only those."""
    samples = {name: sample for name, sample in cell.samples.items() if subset(sample)}
    return replace(cell, samples=samples, scores=tuple(s for s in cell.scores if s.sample_id in samples))


def _cell(cell: CellScores, metric: Metric, model: str, allow_incomplete: bool) -> Cell:  # noqa: FBT001 - passed on
    status = Counter(score.status for score in cell.scores)
    failed = status["failed"] + cell.missing
    estimate = _estimate(cell, metric) if allow_incomplete or not failed else None
    marked = [score for score in cell.scores if score.evidence is not None]
    return Cell(
        **_axes(cell.setting),
        model=model,
        metric=metric.name,
        primary=metric.primary,
        value=None if estimate is None else estimate.value,
        stderr=None if estimate is None else estimate.stderr,
        asked=len(cell.samples),
        scored=status["scored"],
        skipped=status["skipped"],
        unscorable=status["unscorable"],
        failed=failed,
        documents=len({sample.document.id for sample in cell.samples.values()}),
        cut=sum(score.cut for score in cell.scores),
        evidence_lost=sum(score.evidence != "all" for score in marked) if marked else None,
        complete=not failed,
    )


def _axes(setting: Setting) -> dict[str, Any]:
    return {name: getattr(setting, name) for name in setting.__dataclass_fields__}


def _estimate(cell: CellScores, metric: Metric) -> Estimate | None:
    """The metric over the cell's counted scores; None when there is none."""
    counted = cell.counted
    if not counted:
        return None
    clusters = [score.document for score in counted]
    if metric.combine is None:
        return clustered_mean(_column(counted, metric.source or metric.name), clusters)
    combine, names = metric.combine, metric.of
    return jackknife(
        [_column(counted, name) for name in names],
        clusters,
        lambda means: combine(dict(zip(names, means, strict=True))),
    )


def _column(scores: Sequence[Score], name: str) -> list[float]:
    return [score.values[name] for score in scores]
