"""Aggregates the scores of one cell: metrics, clustered errors and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import TypeVar

from evalsuite.cells import Cell, Setting
from evalsuite.errors import TaskError
from evalsuite.scoring.estimate import SampleValues, estimate
from evalsuite.stats.clustered import Estimate
from evalsuite.task import Metric, Task
from evalsuite.types import Sample, Score

T = TypeVar("T")

_COUNTED = ("scored", "unscorable")


@dataclass(frozen=True, slots=True)
class CellScores:
    """The scores of one cell, and how many samples were asked."""

    setting: Setting
    task: Task
    samples: Mapping[str, Sample]
    """All samples of the cell, by id."""
    scores: tuple[Score, ...]

    @property
    def counted(self) -> tuple[Score, ...]:
        """The scores that are in the mean."""
        return tuple(score for score in self.scores if score.status in _COUNTED)

    @property
    def missing(self) -> int:
        """Number of samples without a result, because the run was interrupted."""
        return len(self.samples) - len(self.scores)


Tell = Callable[[str], None]
"""Gets a line of text."""


def ignore(_: str) -> None:
    """Ignores the line."""


def cells(cell: CellScores, model: str, *, allow_incomplete: bool = False, defect: Tell = ignore) -> Iterator[Cell]:
    """One cell for each metric.

    Args:
        cell: the scores of one setting.
        model: for display.
        allow_incomplete: give the value of the other samples if some failed or are missing.
        defect: gets a line if the code of a metric failed and it has no value.
    """
    for metric in cell.task.metrics:
        try:
            within = cell if metric.subset is None else _within(cell, metric.subset)
            found = _cell(within, metric, model, allow_incomplete)
        except TaskError as error:
            defect(f"{error}; {cell.setting.key} has no {metric.name}: mend the task, then run `evalsuite score`")
            found = _without_value(cell, metric, model)
        yield found


def _without_value(cell: CellScores, metric: Metric, model: str) -> Cell:
    """Only the counts, for a metric whose code failed."""
    plain = replace(metric, combine=None, subset=None, clusters=None, averages=metric.takes[0])
    counts = _cell(cell, plain, model, False)  # noqa: FBT003
    return replace(counts, value=None, stderr=None, value_completed=None, complete=False)


def _within(cell: CellScores, subset: Callable[[Sample], bool]) -> CellScores:
    """Only the samples of a subset. Its metric counts these."""
    samples = {name: sample for name, sample in cell.samples.items() if subset(sample)}
    return replace(cell, samples=samples, scores=tuple(s for s in cell.scores if s.sample_id in samples))


def _cell(cell: CellScores, metric: Metric, model: str, allow_incomplete: bool) -> Cell:  # noqa: FBT001 - passed on
    status = Counter(score.status for score in cell.scores)
    failed = status["failed"] + cell.missing
    found = _estimate(cell, metric) if allow_incomplete or not failed else None
    answered = cell.counted
    return Cell(
        **asdict(cell.setting),
        model=model,
        metric=metric.name,
        primary=metric.primary,
        value=None if found is None else found.value,
        stderr=None if found is None else found.stderr,
        asked=len(cell.samples),
        scored=status["scored"],
        skipped=status["skipped"],
        unscorable=status["unscorable"],
        failed=failed,
        documents=len({sample.document.id for sample in cell.samples.values()}),
        cut=sum(score.cut for score in answered),
        evidence_lost=_lost(cell, lambda score: None if score.evidence is None else score.evidence != "all"),
        complete=not failed,
        demonstrations_lost=_lost(cell, lambda score: score.demonstrations_lost),
        kept=_mean(_known(score.kept for score in answered)),
        output_capped=sum(_known(score.output_capped for score in answered)),
        value_completed=None if found is None else _completed(cell, metric),
        repeats=1,
        higher_is_better=metric.higher_is_better,
    )


def _lost(cell: CellScores, mark: Callable[[Score], bool | None]) -> int | None:
    """Number of answers that lost something in the cut; None if no sample of the cell had it."""
    if all(mark(score) is None for score in cell.scores):
        return None
    return sum(bool(mark(score)) for score in cell.counted)


def _known(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(value for value in values if value is not None)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _completed(cell: CellScores, metric: Metric) -> float | None:
    """The metric over answers that the model ended by itself; None if some answer does not say how it ended."""
    if any(score.output_capped is None for score in cell.counted):
        return None
    ended = replace(cell, scores=tuple(score for score in cell.counted if not score.output_capped))
    found = _estimate(ended, metric)
    return None if found is None else found.value


def _estimate(cell: CellScores, metric: Metric) -> Estimate | None:
    """The metric over the cell's counted scores; None when there is none."""
    return estimate(metric, (SampleValues(cell.samples[score.sample_id], score.values) for score in cell.counted))
