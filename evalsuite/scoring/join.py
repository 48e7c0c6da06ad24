"""Joins samples, requests and completions of a run to the scores of each cell. A join is strict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from evalsuite.cells import Cell, Setting
from evalsuite.errors import UsageError
from evalsuite.records import IMPORTED, RequestRecord, RunRecord
from evalsuite.scoring.cells import CellScores, Tell, cells, ignore
from evalsuite.scoring.score import NOT_SCORED, score_sample
from evalsuite.task import PromptProtocol, Task
from evalsuite.types import Completion, Sample, Score

Samples: TypeAlias = Mapping[tuple[str, str, int | None, int | None], Mapping[str, Sample]]
"""By task, split, length and the seed of generated documents (None for natural ones), then by sample id."""


def score_cells(
    record: RunRecord,
    samples: Samples,
    requests: Iterable[RequestRecord],
    completions: Mapping[str, Completion],
    tasks: Mapping[str, Task],
) -> tuple[CellScores, ...]:
    """Joins the files of a run by sample id, strictly.

    Args:
        record: names the cells.
        samples: the samples of the run.
        requests: the requests of every cell, in any order. A sample without a request is missing.
        completions: by key.
        tasks: by name.

    Raises:
        UsageError: a task is unknown, or a request names an unknown sample or cell.
    """
    by_cell: dict[str, list[RequestRecord]] = defaultdict(list)
    for request in requests:
        by_cell[request.cell].append(request)
    unknown = set(by_cell) - {setting.key for setting in record.settings}
    if unknown:
        raise UsageError(f"requests of an unknown cell {min(unknown)!r}: the run directory is damaged")
    return tuple(
        _cell(setting, _task(setting, tasks), _asked(setting, samples), by_cell[setting.key], completions)
        for setting in record.settings
    )


def table_cells(
    scored: Sequence[CellScores], model: str, *, allow_incomplete: bool = False, defect: Tell = ignore
) -> tuple[Cell, ...]:
    """The table cells of a run, one for each setting and metric.

    Args:
        scored: the scores of each setting.
        model: for display.
        allow_incomplete: give values of cells with failed or missing samples.
        defect: gets a line for each error in the code of a task. Only this task has no table.
    """
    for said in unscored(scored):
        defect(said)
    return tuple(cell for one in scored for cell in cells(one, model, allow_incomplete=allow_incomplete, defect=defect))


def unscored(scored: Sequence[CellScores]) -> Iterator[str]:
    """A line for each setting with answers that the task's code could not score: the first error, and their number."""
    for one in scored:
        faults = [score.reason for score in one.scores if score.reason.startswith(NOT_SCORED)]
        if faults:
            first = faults[0].removeprefix(NOT_SCORED)
            count = f"{len(faults)} of {len(one.samples)} answers of {one.setting.key} could not be scored"
            yield f"{first}; {count}: mend the task, then run `evalsuite score` on this directory"


def _cell(
    setting: Setting,
    task: Task,
    samples: Mapping[str, Sample],
    requests: Sequence[RequestRecord],
    completions: Mapping[str, Completion],
) -> CellScores:
    protocol = _reading(task, setting.protocol)
    scores: dict[str, Score] = {}
    for request in requests:
        if request.sample_id not in samples or request.sample_id in scores:
            raise UsageError(
                f"request {request.id}: its sample is unknown or asked twice; the run directory is damaged"
            )
        score = score_sample(request, samples[request.sample_id], protocol, completions)
        if score is not None:
            scores[request.sample_id] = score
    return CellScores(setting, task, samples, tuple(scores[name] for name in samples if name in scores))


def _reading(task: Task, name: str) -> PromptProtocol:
    """The protocol that scores a cell. Imported answers use the first protocol that generates answers."""
    if name != IMPORTED:
        return task.protocol(name)
    reads = next((protocol for protocol in task.protocols if protocol.options is None), None)
    if reads is None:
        raise UsageError(f"task {task.name} compares options only; it cannot read predictions made elsewhere")
    return reads


def samples_of(setting: Setting, samples: Samples) -> Mapping[str, Sample]:
    """The samples of a cell by id: generated with its seed, or natural ones. Empty if the run has none."""
    read = (setting.task, setting.split, setting.length)
    return samples.get((*read, setting.seed)) or samples.get((*read, None), {})


def _asked(setting: Setting, samples: Samples) -> Mapping[str, Sample]:
    found = samples_of(setting, samples)
    if not found:
        raise UsageError(f"no samples of {setting.key} in the run directory: it is damaged")
    return found


def _task(setting: Setting, tasks: Mapping[str, Task]) -> Task:
    if setting.task not in tasks:
        raise UsageError(f"the run asks task {setting.task!r}, which is not installed here; give its --include-path")
    return tasks[setting.task]
