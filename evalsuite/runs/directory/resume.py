"""Checks whether a run may be resumed, and that its requests are the same as before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, Self

from evalsuite.cells import Setting
from evalsuite.errors import UsageError
from evalsuite.records import EngineInfo, RequestRecord, RunRecord, SampleRecord
from evalsuite.runs.directory.journal import lock
from evalsuite.runs.directory.samples import read_document
from evalsuite.runs.directory.seal import check_seals, line_check, request_id, with_seals
from evalsuite.runs.directory.store import (
    AGAIN,
    CELLS,
    COMPLETIONS,
    REQUESTS,
    RUN,
    SAMPLES,
    dumps,
    read_lines,
    read_record,
    request_line,
    write_record,
)
from evalsuite.runs.record import timestamp
from evalsuite.shared_files import write_atomic


def check_early(settings: Sequence[Setting], identities: Mapping[str, str], out: Path) -> None:
    """Checks that need no model: the directory is in use, or holds other questions.

    Raises:
        UsageError: as ``check_resumable``.
    """
    if (out / RUN).exists():
        read_record(out)  # before the lock writes into a folder that may be somebody else's
        with lock(out):
            _same_questions(read_record(out), settings, identities, out)


def check_resumable(former: RunRecord, now: RunRecord, out: Path, *, allow_engine_change: bool) -> bool:
    """Compares the record of a run directory with the run that will continue it.

    Returns:
        Whether the engine changed (and may).

    Raises:
        UsageError: model, questions or settings differ, or the engine differs and this was not allowed.
    """
    if former.provenance != now.provenance:
        raise UsageError(f"{out} holds imported predictions; choose another --out")
    if former.schema_version != now.schema_version:
        raise UsageError(
            f"{out} was begun by an older evalsuite: it can be scored and compared, but not continued; choose another "
            "--out"
        )
    _same("model", former.engine.model.hash, now.engine.model.hash, out)
    _same("tokenizer", former.engine.tokenizer, now.engine.tokenizer, out)
    _same("model maximum", former.engine.max_model_len, now.engine.max_model_len, out)
    _same_questions(former, now.settings, now.question_identity, out)
    latest = former.engine_changes[-1] if former.engine_changes else former.engine
    if _engine(latest) == _engine(now.engine):
        return False
    if not allow_engine_change:
        raise UsageError(
            f"{out} was begun on {' '.join(_engine(latest))}, this is {' '.join(_engine(now.engine))}; "
            "add --allow-engine-change to go on (the record will say so), or choose another --out"
        )
    return True


def check_samples(former: RunRecord, planned: Iterable[SampleRecord], out: Path) -> None:
    """Compares the samples and documents of a run directory with the data.

    Raises:
        UsageError: a file is damaged, missing or different.
    """
    path = out / SAMPLES
    check_seals(out, former, (SAMPLES,), AGAIN)
    documents: dict[str, None] = {}
    for now, stored in zip_longest(planned, read_lines(path, SampleRecord)):
        if now is None or stored is None or dumps(now) != dumps(stored):
            name = (now or stored).id
            raise UsageError(f"{path}: sample {name} is not the one that the data holds; {AGAIN}")
        documents[stored.document_hash] = None
    for digest in documents:
        read_document(out, digest)


class Writing:
    """The files of a run while they are written. They are opened before the first new line, and sealed at the end."""

    def __init__(self, out: Path, blank: Callable[[], bytes]) -> None:
        """Prepares.

        Args:
            out: the run directory.
            blank: makes the content of ``cells.json`` while nothing is scored.
        """
        self._out, self._blank, self._open = out, blank, False

    def open(self) -> None:
        """Marks the files as being written. Earlier scores are no longer valid."""
        if self._open:
            return
        self._open = True
        record = read_record(self._out)
        kept = {name: seal for name, seal in record.sealed.items() if name == SAMPLES}
        record = replace(record, sealed=kept, ended=None)
        write_record(self._out, record)
        write_atomic(self._out / CELLS, self._blank())
        write_record(self._out, with_seals(record, self._out, (CELLS,)))

    def close(self, *, finished: bool) -> None:
        """Seals what was written.

        Args:
            finished: everything was asked.
        """
        if self._open:
            record = replace(read_record(self._out), ended=timestamp() if finished else None)
            write_record(self._out, with_seals(record, self._out, (REQUESTS, COMPLETIONS)))
            self._open = False


class RequestLog:
    """``requests.jsonl``: a line for each request, by its id. A resumed run must make the same lines again."""

    def __init__(self, path: Path, before_writing: Callable[[], None]) -> None:
        """Prepares.

        Args:
            path: the file.
            before_writing: called before anything in the file is changed.
        """
        self._path, self._before_writing = path, before_writing
        self._there: dict[str, bytes] = {}
        self._torn_at: int | None = None

    def __enter__(self) -> Self:
        self._file: BinaryIO = self._path.open("a+b")
        try:
            self._file.seek(0)
            self._read_lines()
        except UsageError:
            self._file.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def write(self, records: Sequence[RequestRecord]) -> None:
        """Writes lines, or checks that the same lines are there.

        Raises:
            UsageError: a line differs: data, tokenizer or code changed since the run began.
        """
        for record in records:
            line = request_line(record)
            there = self._there.pop(record.id, None)
            if there is None:
                self._append(line)
            elif there != line_check(line):
                raise UsageError(
                    f"{self._path}: the request for {record.id} differs from the one recorded when the run began; "
                    "data, tokenizer or evalsuite changed: choose another --out"
                )
        self._file.flush()

    def check_end(self) -> None:
        """Refuses lines of requests that are not in the plan.

        Raises:
            UsageError: there are some.
        """
        if self._there:
            raise self._too_many()

    def _read_lines(self) -> None:
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):  # torn when the run was killed
                self._torn_at = self._file.tell() - len(line)
                return
            name = request_id(line)
            if name is None:
                raise UsageError(f"{self._path}:{number}: the line is damaged; {AGAIN}")
            if name in self._there:
                raise self._too_many()
            self._there[name] = line_check(line)

    def _too_many(self) -> UsageError:
        return UsageError(f"{self._path} holds more requests than the run asks: it was changed; {AGAIN}")

    def _append(self, line: bytes) -> None:
        self._before_writing()
        if self._torn_at is not None:
            self._file.truncate(self._torn_at)
            self._torn_at = None
        self._file.write(line)


def _same_questions(former: RunRecord, settings: Sequence[Setting], identities: Mapping[str, str], out: Path) -> None:
    if list(former.settings) != list(settings):
        old, new = {s.key for s in former.settings}, {s.key for s in settings}
        if old == new:
            raise _other(out, "the order of tasks, shots, caps or lengths (the cells are the same)")
        raise _other(out, f"cells ({len(old - new)} no longer asked, {len(new - old)} new)")
    for cell, identity in former.question_identity.items():
        _same(f"questions of {cell}", identity, identities.get(cell), out)


def _engine(info: EngineInfo) -> tuple[str, str]:
    return info.scheme, info.version


def _same(what: str, former: object, now: object, out: Path) -> None:
    if former != now:
        raise _other(out, what)


def _other(out: Path, what: str) -> UsageError:
    return UsageError(
        f"{out} holds a run with other settings: {what} differ; choose another --out (nothing was changed)"
    )
