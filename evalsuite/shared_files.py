"""Files that several processes use: replaced as a whole, held by one process at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

POLL = 0.05
"""Seconds between two tries to hold a file."""


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces a whole file. A reader sees the old or the new content, never a part."""
    write_pieces(path, (data,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """As ``write_atomic``, for content in pieces."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def held(path: Path, wait: Callable[[bytes], None]) -> Iterator[IO[bytes]]:
    """Holds a lock file for this process. The system releases it when the process ends, also after a kill.

    Args:
        path: the lock file; it is made if it does not exist.
        wait: called between two tries with the content of the file; it raises an error to give up.
    """
    with path.open("a+b") as file:
        while not _taken(file):
            file.seek(0)
            wait(file.read())
            time.sleep(POLL)
        yield file


def _taken(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
