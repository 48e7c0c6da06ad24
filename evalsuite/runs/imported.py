"""Writes answers of other programs as a normal run directory. Prompts, cuts and tokens are unknown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from evalsuite import __version__
from evalsuite.benchmark import Predictions, TaskAnswers
from evalsuite.cells import Setting
from evalsuite.errors import UsageError
from evalsuite.records import (
    IMPORTED,
    SCHEMA_VERSION,
    Block,
    DataFileRecord,
    EngineInfo,
    ModelIdentity,
    RequestRecord,
    RunRecord,
    RunSpec,
)
from evalsuite.runs.directory.journal import journal_line, lock
from evalsuite.runs.directory.samples import sample_record, write_document
from evalsuite.runs.directory.seal import with_seals
from evalsuite.runs.directory.store import (
    CELLS,
    COMPLETIONS,
    REQUESTS,
    RUN,
    SAMPLES,
    SCORES,
    read_record,
    request_line,
    run_directory,
    write_lines,
    write_record,
)
from evalsuite.runs.identity import imported_identity, metric_versions
from evalsuite.runs.record import commit, hardware, packages, timestamp
from evalsuite.shared_files import write_atomic
from evalsuite.sources.storage import sha256 as file_hash
from evalsuite.task import Task
from evalsuite.types import Completion, Sample

UNKNOWN = "imported predictions: prompts, cuts, decoding and tokens are unknown"


def import_predictions(
    files: Sequence[Path],
    form: Predictions,
    out: Path,
    tasks: Mapping[str, Task],
    *,
    data: str | None,
    model_name: str | None,
) -> None:
    """Writes a run directory of answers of another program, ready to be scored.

    Args:
        files: prediction files.
        form: their format.
        out: the run directory; it must not hold a run.
        tasks: by name.
        data: the data folder; None takes EVALSUITE_DATA, else the hub.
        model_name: for display; None uses the name in the files, else the name of the first file.

    Raises:
        UsageError: a file cannot be read, answers something unknown or twice, or ``out`` holds another run.
    """
    if (out / RUN).exists() and not _is_half_done(read_record(out)):
        raise _taken(out)
    name = model_name or (files[0].name.split(".")[0] if form.model is None else form.model(files))
    answers = tuple(form.read(files, tasks, None if data is None else Path(data)))
    if not answers:
        raise UsageError(f"{', '.join(map(str, files))}: no prediction to score; was the file written to its end?")
    record = _record(name, files, answers, data)
    with lock(run_directory(out, written_anew=(SAMPLES, REQUESTS, COMPLETIONS, SCORES, CELLS))):
        if (out / RUN).exists() and not _is_same(read_record(out), record):
            raise _taken(out)
        _write(record, answers, out)


def _is_half_done(former: RunRecord) -> bool:
    """Whether an import stopped before its answers were scored. The same command may then write it again."""
    return former.provenance == "imported" and SCORES not in former.sealed


def _is_same(former: RunRecord, now: RunRecord) -> bool:
    """Whether the same answers to the same questions were imported, but not scored."""
    same = former.engine.model.hash == now.engine.model.hash and former.question_identity == now.question_identity
    return _is_half_done(former) and same


def _taken(out: Path) -> UsageError:
    return UsageError(f"{out} holds a run already; choose another --out")


def _write(record: RunRecord, answers: Sequence[TaskAnswers], out: Path) -> None:
    """Writes everything. The record is last, because a directory without it is no run."""
    for document in {s.document.hash: s.document for one in answers for s in one.samples}.values():
        write_document(out, document)
    write_lines(out / SAMPLES, (sample_record(a.task.name, a.task.split, s) for a in answers for s in a.samples))
    requests = (request_line(_request(one, sample)) for one in answers for sample in _asked(one))
    write_atomic(out / REQUESTS, b"".join(requests))
    completions = (
        Completion(_key(_setting(one).key, name), text) for one in answers for name, text in one.texts.items()
    )
    write_atomic(out / COMPLETIONS, b"".join(journal_line(completion) for completion in completions))
    write_record(out, with_seals(record, out, (SAMPLES, REQUESTS, COMPLETIONS)))


def _record(name: str, files: Sequence[Path], answers: Sequence[TaskAnswers], data: str | None) -> RunRecord:
    read = tuple(DataFileRecord(IMPORTED, path.name, file_hash(path)) for path in files)
    model = ModelIdentity(name, _hash(sorted(record.sha256 for record in read)))
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        evalsuite_version=__version__,
        spec=RunSpec(f"{IMPORTED}:{name}", (Block(tuple(one.task.name for one in answers)),), data=data),
        engine=EngineInfo(IMPORTED, "", model, max_model_len=None, max_model_len_source="unknown"),
        settings=tuple(_setting(one) for one in answers),
        question_identity={
            _setting(one).key: imported_identity(one.task, _setting(one), one.samples) for one in answers
        },
        data=(*read, *(record for one in answers for record in one.data)),
        notices=(UNKNOWN, *(notice for one in answers for notice in _notices(one))),
        packages=packages(),
        commit=commit(),
        hardware=hardware(),
        provenance="imported",
        begun=timestamp(),
        ended=timestamp(),
        task_versions={one.task.name: one.task.version for one in answers},
        metric_versions=metric_versions(one.task for one in answers),
    )


def _notices(one: TaskAnswers) -> Iterator[str]:
    missing = len(one.samples) - sum(1 for _ in _asked(one))
    said = (f"{missing} of {len(one.samples)} predictions are missing",) if missing else ()
    yield from (f"{one.task.name}: {notice}" for notice in (*said, *one.notices))


def _setting(one: TaskAnswers) -> Setting:
    task = one.task
    return Setting(task.suite, task.name, task.split, one.protocol, 0, 0, None, None, IMPORTED)


def _asked(one: TaskAnswers) -> Iterator[Sample]:
    """Requests for samples with an answer and for samples without text. All other samples are missing."""
    return (sample for sample in one.samples if sample.id in one.texts or not sample.document.text)


def _request(one: TaskAnswers, sample: Sample) -> RequestRecord:
    cell, answered = _setting(one).key, sample.id in one.texts
    key = _key(cell, sample.id) if answered else None
    record = RequestRecord(f"{cell}/{sample.id}", cell, sample.id, sample.document.hash, key, None, None, None)
    return record if answered else replace(record, skipped="empty text")


def _key(cell: str, sample_id: str) -> str:
    return _hash([IMPORTED, cell, sample_id])


def _hash(value: Iterable[object]) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()
