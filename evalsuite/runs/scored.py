"""Scores a run: writes ``scores.jsonl`` and ``cells.json``, and records which versions scored it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from evalsuite import __version__
from evalsuite.cells import Cell, Setting
from evalsuite.errors import TaskError, UsageError
from evalsuite.records import RequestRecord, RunRecord, Scoring
from evalsuite.runs.directory import store
from evalsuite.runs.directory.journal import lock
from evalsuite.runs.directory.seal import is_sealed, with_seals
from evalsuite.runs.identity import QuestionIdentity, imported_identity, metric_versions, template_of
from evalsuite.runs.record import commit
from evalsuite.runs.run import Run
from evalsuite.scoring.cells import Tell, ignore
from evalsuite.scoring.join import Samples, samples_of, score_cells, table_cells
from evalsuite.shared_files import write_atomic
from evalsuite.task import Task


def score_folder(
    folder: Path, tasks: Mapping[str, Task], *, allow_incomplete: bool = False, defect: Tell = ignore
) -> tuple[Cell, ...]:
    """Scores a run directory and writes the results into it.

    Args:
        folder: the run directory.
        tasks: by name.
        allow_incomplete: give values of cells with failed or missing samples.
        defect: gets a line for each error in the code of a task. Only this task has no table.

    Raises:
        UsageError: the directory holds no run, or is damaged.
    """
    store.read_record(folder)  # before the lock writes into a folder that may be somebody else's
    with lock(folder, "score"):
        run = Run.open(folder)
        rescored = _rescored(run, tasks)
        scored = score_cells(run.record, run.samples, run.requests, run.completions, tasks)
        found = table_cells(scored, run.model, allow_incomplete=allow_incomplete, defect=defect)
        store.write_lines(folder / store.SCORES, (score for one in scored for score in one.scores))
        write_atomic(folder / store.CELLS, store.dump_all(found))
        written = (store.REQUESTS, store.COMPLETIONS, store.SCORES, store.CELLS)
        there = [name for name in written if (folder / name).exists()]
        record = replace(run.record, rescored_identity=rescored, scoring=_scoring(run, tasks))
        store.write_record(folder, with_seals(record, folder, there))
    return found


def unanswered(folder: Path, tasks: Mapping[str, Task]) -> tuple[Cell, ...]:
    """The cells of a run before scoring."""
    run = Run.open(folder)
    return table_cells(score_cells(run.record, run.samples, (), {}, tasks), run.model)


def _scoring(run: Run, tasks: Mapping[str, Task]) -> Scoring:
    """How the answers are scored now."""
    asked = sorted({setting.task for setting in run.record.settings} & set(tasks))
    versions = {name: tasks[name].version for name in asked}
    return Scoring(__version__, commit(), versions, metric_versions(tasks[name] for name in asked))


def _rescored(run: Run, tasks: Mapping[str, Task]) -> dict[str, str]:
    """Computes question identities again from the files, for cells whose task now has another version.

    Raises:
        UsageError: an identity differs, although the task has the same version as when it was asked.
    """
    record, samples = run.record, run.samples
    shown = {(request.cell, request.sample_id): request for request in run.requests}
    found: dict[str, str] = {}
    for setting in record.settings if is_sealed(record) else ():
        task = tasks.get(setting.task)
        identity = None if task is None else _identity(record, setting, task, samples, shown)
        if task is None or identity in (None, record.question_identity.get(setting.key)):
            continue
        if _is_as_asked(task, record):
            raise UsageError(
                f"{run.folder / store.SAMPLES}: the questions of {setting.key} are not those that {store.RUN} says "
                f"were asked: the file was changed, or task {task.name} was without a new version; {store.AGAIN}"
            )
        found[setting.key] = str(identity)
    return found


def _is_as_asked(task: Task, record: RunRecord) -> bool:
    """Whether a task and its metrics still have the same versions as when it was asked."""
    metrics = metric_versions((task,))
    same = all(record.metric_versions.get(name, 1) == version for name, version in metrics.items())
    return same and record.task_versions.get(task.name) == task.version


def _identity(
    record: RunRecord,
    setting: Setting,
    task: Task,
    samples: Samples,
    shown: Mapping[tuple[str, str], RequestRecord],
) -> str | None:
    """The question identity of a cell, computed again; None if files or task do not allow it."""
    asked = samples_of(setting, samples)
    if record.provenance == "imported":
        return imported_identity(task, setting, asked.values())
    protocol = task.protocol(setting.protocol)
    drawn = setting.shots > 0 and protocol.own_shots is None
    known = {name: shown.get((setting.key, name)) for name in asked}
    if drawn and any(request is None or request.key is None for request in known.values()):
        return None
    demonstrations = [request.demonstrations if request else () for request in known.values()]
    try:
        identity = QuestionIdentity(task, protocol, setting, record.spec.blocks[record.block_of.get(setting.key, 0)])
        for sample, names in zip(asked.values(), demonstrations, strict=True):
            identity.add(sample, template_of(protocol, sample), names)
    except TaskError:  # told where the task's code is called to score
        return None
    return identity.hexdigest()
