"""The append-only journal of completions and the lock that keeps a second process out.

A line is ``{"check": <first 16 hex digits of the SHA-256 of the completion's JSON>, "completion": {...}}``. It is
flushed to the disk before the next batch begins, so a killed run loses at most the batch it was working on.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from evalsuite.errors import UsageError
from evalsuite.runs.store import adapter, dumps
from evalsuite.types import Completion

_HEAD, _MIDDLE, _TAIL = '{"check":"', '","completion":', "}\n"


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal holds."""

    completions: dict[str, Completion]
    """By key; the last one of a key counts, and an answer outweighs an earlier failure."""
    damaged: tuple[int, ...]
    """Numbers of lines whose checksum does not match; their samples are asked again."""


def read_journal(path: Path) -> JournalContent:
    """Reads a journal, leaving out damaged lines (a torn last line after a kill is one)."""
    completions: dict[str, Completion] = {}
    damaged: list[int] = []
    if path.exists():
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                completion = _parse(line)
                if completion is None:
                    damaged.append(number)
                elif completion.error is None or completion.key not in completions:
                    completions[completion.key] = completion
    return JournalContent(completions, tuple(damaged))


def journal_line(completion: Completion) -> bytes:
    """One checksummed line."""
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

    def append(self, completion: Completion) -> None:
        """Writes one completion through to the disk."""
        self._file.write(journal_line(completion))
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Holds a run directory for this process.

    Raises:
        UsageError: another process holds it; the message says its pid.
    """
    with (folder / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise UsageError(f"{folder} is in use by process {owner}; wait for it or choose another --out") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _parse(line: bytes) -> Completion | None:
    body = line[len(_HEAD) + 16 + len(_MIDDLE) : -len(_TAIL)].decode(errors="replace")
    if line != _wrap(body):
        return None
    completion: Completion = adapter(Completion).validate_json(body)
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
