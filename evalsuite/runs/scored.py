"""Scoring a run directory: reads samples, requests and the journal, writes ``scores.jsonl`` and ``cells.json``."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from evalsuite.cells import Cell, Setting
from evalsuite.errors import TaskError, UsageError
from evalsuite.records import RequestRecord, RunRecord
from evalsuite.runs import store
from evalsuite.runs.identity import QuestionIdentity, imported_identity, template_of
from evalsuite.runs.journal import check_journal, lock, read_journal
from evalsuite.runs.samples import read_document, read_samples
from evalsuite.runs.seal import check_seals, is_sealed, with_seals
from evalsuite.scoring.cells import Tell, ignore
from evalsuite.scoring.join import score_cells, table_cells
from evalsuite.task import Task
from evalsuite.types import Completion, Sample

Samples: TypeAlias = Mapping[tuple[str, str, int | None], Mapping[str, Sample]]
"""By task, split and length, then by id."""


def score_folder(
    folder: Path, tasks: Mapping[str, Task], *, allow_incomplete: bool = False, defect: Tell = ignore
) -> tuple[Cell, ...]:
    """Scores a run directory and writes the result beside it.

    Args:
        folder: the run directory.
        tasks: by name.
        allow_incomplete: give values of cells with failed or missing samples.
        defect: told every fault of a task's own code: it costs that task's table, the others go on.

    Raises:
        UsageError: the directory holds no run, or is damaged.
    """
    store.read_record(folder)  # before the lock writes into a folder that may be somebody else's
    with lock(folder, "score"):
        record = store.read_record(folder)
        samples, requests, completions = _answered(folder, record)
        judged = _judged(folder, record, samples, requests, tasks)
        scored = score_cells(record, samples, requests, completions, tasks)
        found = table_cells(scored, _name(record), allow_incomplete=allow_incomplete, defect=defect)
        store.write_lines(folder / store.SCORES, (score for one in scored for score in one.scores))
        store.write_atomic(folder / store.CELLS, store.dump_all(found))
        written = (store.REQUESTS, store.COMPLETIONS, store.SCORES, store.CELLS)
        there = [name for name in written if (folder / name).exists()]
        store.write_record(folder, with_seals(replace(record, judged_identity=judged), folder, there))
    return found


def unanswered(folder: Path, record: RunRecord, tasks: Mapping[str, Task]) -> tuple[Cell, ...]:
    """The cells of a run of which nothing is scored."""
    return table_cells(score_cells(record, _samples(folder), (), {}, tasks), _name(record))


def shown_cells(folder: Path) -> tuple[Cell, ...]:
    """The cells of a run as they were written; none while the run was never scored.

    Raises:
        UsageError: a file of the run is not as it was written.
    """
    record = store.read_record(folder)
    check_seals(folder, record, (store.CELLS,), f"`evalsuite score {folder}` writes it anew")
    check_seals(folder, record, (store.SCORES,), f"`evalsuite score {folder}` writes it anew")
    check_seals(folder, record, (store.SAMPLES, store.REQUESTS), store.AGAIN)
    if is_sealed(record):
        check_journal(folder / store.COMPLETIONS, record.sealed.get(store.COMPLETIONS))
        if store.REQUESTS not in record.sealed:
            deque(store.read_requests(folder, record), maxlen=0)  # each line is checked by itself
    if not (folder / store.CELLS).is_file() or (is_sealed(record) and store.CELLS not in record.sealed):
        return ()
    cells: tuple[Cell, ...] = store.read_value(folder / store.CELLS, tuple[Cell, ...])
    return cells


def read_answers(folder: Path) -> tuple[Sequence[Setting], Sequence[RequestRecord], Mapping[str, Completion]]:
    """The cells, requests and answers of a run.

    Raises:
        UsageError: the directory holds no run, or is damaged.
    """
    record = store.read_record(folder)
    _, requests, completions = _answered(folder, record)
    return record.settings, requests, completions


def remarks(folder: Path) -> Iterator[str]:
    """Sentences on what a reader of a run's values should know about its files."""
    record = store.read_record(folder)
    if not is_sealed(record):
        yield f"{folder} is unsealed: it was written before files were sealed, and damage would not be noticed"
    elif store.SCORES not in record.sealed:
        path = folder / store.COMPLETIONS
        count = path.read_bytes().count(b"\n") if path.exists() else 0
        yield f"{folder} is unfinished, {count} answers so far: run its command again to go on"
    for cell in record.judged_identity:
        yield f"{folder}: the task of {cell} has another version than when it was asked; its answers are judged by that"


def _answered(folder: Path, record: RunRecord) -> tuple[Samples, list[RequestRecord], Mapping[str, Completion]]:
    """What was asked and answered, each file checked."""
    check_seals(folder, record, (store.SAMPLES, store.REQUESTS), store.AGAIN)
    samples = _samples(folder)
    requests = list(store.read_requests(folder, record))
    if is_sealed(record):
        check_journal(folder / store.COMPLETIONS, record.sealed.get(store.COMPLETIONS))
    return samples, requests, read_journal(folder / store.COMPLETIONS).completions


def _samples(folder: Path) -> Samples:
    """The samples of a run; every document is read once, to see that it is whole, and not kept."""
    samples: dict[tuple[str, str, int | None], dict[str, Sample]] = defaultdict(dict)
    documents: dict[str, None] = {}
    for line, sample in read_samples(folder):
        samples[line.task, line.split, line.length][sample.id] = sample
        documents[line.document] = None
    for digest in documents:
        read_document(folder, digest)
    return samples


def _judged(
    folder: Path,
    record: RunRecord,
    samples: Samples,
    requests: Sequence[RequestRecord],
    tasks: Mapping[str, Task],
) -> dict[str, str]:
    """Question identities made again from the files, of cells whose task has another version by now.

    Raises:
        UsageError: one differs although the task has the version it was asked in.
    """
    shown = {(request.cell, request.sample_id): request for request in requests}
    found: dict[str, str] = {}
    for setting in record.settings if is_sealed(record) else ():
        task = tasks.get(setting.task)
        identity = None if task is None else _identity(record, setting, task, samples, shown)
        if task is None or identity in (None, record.question_identity.get(setting.key)):
            continue
        if record.task_versions.get(task.name) == task.version:
            raise UsageError(
                f"{folder / store.SAMPLES}: the questions of {setting.key} are not those that {store.RUN} says were "
                f"asked: the file was changed, or task {task.name} was without a new version; {store.AGAIN}"
            )
        found[setting.key] = str(identity)
    return found


def _identity(
    record: RunRecord,
    setting: Setting,
    task: Task,
    samples: Samples,
    shown: Mapping[tuple[str, str], RequestRecord],
) -> str | None:
    """A cell's question identity made again; None where the files or the task's code do not tell."""
    asked = samples.get((setting.task, setting.split, setting.length), {})
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
    except TaskError:  # told where the task's code is called to judge
        return None
    return identity.hexdigest()


def _name(record: RunRecord) -> str:
    return record.spec.model_name or record.engine.model.name
