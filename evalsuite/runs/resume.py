"""Whether a run directory may be gone on with, and the log that proves the requests are the same again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from evalsuite.errors import UsageError
from evalsuite.records import EngineInfo, RequestRecord, RunRecord
from evalsuite.runs.journal import lock
from evalsuite.runs.store import RUN, dumps, read_record
from evalsuite.types import Setting


def check_early(settings: Sequence[Setting], identities: Mapping[str, str], out: Path) -> None:
    """What can be refused before a model is loaded: a directory in use, or one that holds other questions.

    Raises:
        UsageError: as ``check_resumable``.
    """
    if (out / RUN).exists():
        with lock(out):
            _same_questions(read_record(out), settings, identities, out)


def check_resumable(former: RunRecord, now: RunRecord, out: Path, *, allow_engine_change: bool) -> bool:
    """Compares a run directory's record with the run about to go on in it.

    Returns:
        Whether the engine changed (and may).

    Raises:
        UsageError: model, questions or settings differ; or the engine does and was not allowed to.
    """
    if former.provenance != now.provenance:
        raise UsageError(f"{out} holds imported predictions; choose another --out")
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


class RequestLog:
    """``requests.jsonl``: appended as requests are made; on a resume the lines there must come out again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._file: BinaryIO = self._path.open("a+b")
        self._file.seek(0)
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def write(self, records: Sequence[RequestRecord]) -> None:
        """Writes lines, or checks that they stand there already.

        Raises:
            UsageError: another line stands there: data, tokenizer or code changed since the run began.
        """
        for record in records:
            line = dumps(record).encode() + b"\n"
            there = self._file.readline()
            if there and there != line and there.endswith(b"\n"):
                raise UsageError(
                    f"{self._path}: the request for {record.id} differs from the one recorded when the run began; "
                    "data, tokenizer or evalsuite changed: choose another --out"
                )
            if there != line:
                self._file.seek(-len(there), 1)
                self._file.truncate()
                self._file.write(line)
        self._file.flush()


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
