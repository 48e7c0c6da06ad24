"""The append-only journal of completions, and the lock of a run directory.

A line is ``{"check": <first 16 hex digits of the SHA-256 of the completion's JSON>, "completion": {...}}``. It is
written to the disk before the next batch begins. So a killed run loses at most one batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO, Literal, Self

from evalsuite.errors import UsageError
from evalsuite.records import FileSeal
from evalsuite.runs.directory.seal import changed, seal_of
from evalsuite.runs.directory.store import LOCK, OURS, RUN, adapter, dumps, is_our_lock
from evalsuite.shared_files import held, write_atomic
from evalsuite.types import Completion

_HEAD, _MIDDLE, _TAIL = '{"check":"', '","completion":', "}\n"
_REPAIR = "the run's own command asks again what is damaged"
_PATIENCE = 0.5
"""Seconds to wait for the lock of a run."""


@dataclass(frozen=True, slots=True)
class JournalContent:
    """The content of a journal."""

    completions: dict[str, Completion]
    """Completions by key. The last completion of a key counts; an answer replaces an earlier failure."""
    damaged: tuple[int, ...]
    """Numbers of damaged lines. Their samples are asked again."""
    torn: bool = False
    """Whether the last line is incomplete, because the run was killed while it wrote the line."""


def read_journal(path: Path) -> JournalContent:
    """Reads a journal without its damaged lines. An incomplete last line is damaged, too."""
    completions: dict[str, Completion] = {}
    damaged: list[int] = []
    line = b"\n"
    if path.exists():
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                completion = _parse(line)
                if completion is None:
                    damaged.append(number)
                elif completion.error is None or completion.key not in completions:
                    completions[completion.key] = completion
    return JournalContent(completions, tuple(damaged), not line.endswith(b"\n"))


def check_journal(path: Path, seal: FileSeal | None) -> None:
    """Refuses a journal that was changed. An incomplete last line is allowed: its answer is missing.

    Raises:
        UsageError: a line is damaged, or the lines differ from those of the finished run.
    """
    if not path.exists():
        if seal is not None:
            raise UsageError(f"{path} is missing: the run directory is damaged; {_REPAIR}")
        return
    found = seal_of(path)
    if found == seal:
        return
    content = read_journal(path)
    bad = [number for number in content.damaged if number <= found.lines]
    if bad:
        raise UsageError(f"{path}:{bad[0]}: the line is damaged; {_REPAIR}")
    if seal is not None and (not content.torn or found.lines != seal.lines - 1):
        raise changed(path, seal, found, _REPAIR)


def mend_journal(path: Path, content: JournalContent) -> None:
    """Removes damaged lines. The other lines stay as they are."""
    if content.damaged:
        bad = set(content.damaged)
        with path.open("rb") as file:
            kept = [line for number, line in enumerate(file, start=1) if number not in bad]
        write_atomic(path, b"".join(line if line.endswith(b"\n") else line + b"\n" for line in kept))


def journal_line(completion: Completion) -> bytes:
    """One line with its checksum."""
    return _wrap(dumps(completion))


class Journal:
    """Appends completions; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        torn = self._path.exists() and not _ends_with_newline(self._path)
        self._file: BinaryIO = self._path.open("ab")
        if torn:
            self._file.write(b"\n")
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def append(self, completion: Completion) -> Completion:
        """Writes one completion to the disk.

        Returns:
            What was written: a failure if the answer could not be read again.
        """
        kept = storable(completion)
        self._file.write(journal_line(kept))
        self._file.flush()
        os.fsync(self._file.fileno())
        return kept


def storable(completion: Completion) -> Completion:
    """The completion, or a failure if it cannot be stored: infinite likelihoods, half characters, wrong types."""
    from pydantic import ValidationError
    from pydantic_core import PydanticSerializationError

    try:
        body = dumps(completion)
        if dumps(adapter(Completion).validate_json(body)) == body:
            return completion
        reason = "it reads back as another one"
    except ValidationError:
        reason = "it holds a value that is none, such as a log-likelihood that is no finite number"
    except (PydanticSerializationError, ValueError) as error:
        reason = str(error).splitlines()[0]
    return Completion(completion.key, error=f"the engine's answer cannot be kept: {reason}")


@contextmanager
def lock(folder: Path, purpose: Literal["run", "score"] = "run") -> Iterator[None]:
    """Locks a run directory for this process. If another process is scoring it, this one waits.

    Raises:
        UsageError: another process runs in it (the message has its pid), or the lock file is not from evalsuite.
    """
    path = folder / LOCK
    if path.exists() and path.stat().st_size and not (is_our_lock(path) or (folder / RUN).exists()):
        raise UsageError(f"{path} is not a lock file of evalsuite; choose another --out")
    with held(path, _patience(folder)) as file:
        _mark(file, f" {os.getpid()} {purpose}")
        try:
            yield
        finally:
            with suppress(OSError):  # a full disk: the lock goes with the file
                _mark(file, "")


def _patience(folder: Path) -> Callable[[bytes], None]:
    """Waits as long as its owner scores, and a moment for one that runs."""
    begun = time.monotonic()

    def wait(content: bytes) -> None:
        nonlocal begun
        owner = content.decode(errors="replace").split() or ["", "unknown"]
        if owner[-1] == "score":
            begun = time.monotonic()
        elif time.monotonic() - begun > _PATIENCE:
            name = owner[1] if len(owner) > 1 else owner[0]
            raise UsageError(f"{folder} is in use by process {name}; wait for it or choose another --out")

    return wait


def _mark(file: IO[bytes], text: str) -> None:
    file.truncate(0)
    file.write(OURS + text.encode() + b"\n")
    file.flush()


def _parse(line: bytes) -> Completion | None:
    from pydantic import ValidationError

    whole = line if line.endswith(b"\n") else line + b"\n"
    body = whole[len(_HEAD) + 16 + len(_MIDDLE) : -len(_TAIL)].decode(errors="replace")
    if whole != _wrap(body):
        return None
    try:
        completion: Completion = adapter(Completion).validate_json(body)
    except ValidationError:
        return None
    return completion


def _wrap(body: str) -> bytes:
    return f"{_HEAD}{_check(body)}{_MIDDLE}{body}{_TAIL}".encode()


def _check(body: str) -> str:
    return sha256(body.encode()).hexdigest()[:16]


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
