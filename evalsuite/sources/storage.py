"""The stored bytes of a data file: a plain file, a gzip file, or a member of a zip, streamed and never extracted."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from evalsuite.errors import UsageError

MAX_RATIO = 250
"""Most bytes that one stored byte may unpack to. Text is packed 3 to 10 times, a bomb 1,000 times."""
MAX_MEMBER = 64 << 30
"""Most bytes a member of a zip may unpack to; the largest official one (NarrativeQA of SCROLLS) is about 25 GB."""
MAX_WHOLE = 1 << 30
"""Most bytes read into memory at once: a file that must be read whole, or one line."""
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile)
_FREE = 1 << 20
"""Files with fewer unpacked bytes are never refused for their ratio."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the bytes of one data file are."""

    path: Path
    member: str = ""
    """The name inside the zip at ``path``; empty for a file of its own."""

    @property
    def shown(self) -> str:
        """The name for messages."""
        return f"{self.path}::{self.member}" if self.member else str(self.path)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The unpacked bytes as a stream.

        Raises:
            UsageError: unreadable, damaged, encrypted, or unpacking to far more than it holds.
        """
        try:
            with self._stream() as stream:
                yield stream
        except _DAMAGED as error:
            raise UsageError(f"{self.shown}: the file is damaged or incomplete ({error}); fetch it again") from error
        except NotImplementedError as error:
            raise UsageError(f"{self.shown}: packed in a way that cannot be read ({error}); pack it anew") from error
        except OSError as error:
            raise UsageError(f"{self.shown}: cannot be read ({error.strerror or error})") from error

    @contextmanager
    def _stream(self) -> Iterator[BinaryIO]:
        if self.member:
            with _archive(self.path) as archive, _open_member(archive, self) as stream:
                yield stream
        elif self.path.suffix == ".gz":
            with gzip.open(self.path) as stream:
                yield _guarded(cast("BinaryIO", stream), self.path.stat().st_size, self.shown)
        else:
            with self.path.open("rb") as stream:
                yield stream


def sha256(path: Path) -> str:
    """SHA-256 of a file as it is stored, read in pieces.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error


def members(path: Path) -> list[str]:
    """Names of the files in a zip, none of which may point outside it.

    Raises:
        UsageError: no zip, or a member's name leads out of the archive.
    """
    with _archive(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{path}: holds {count} members named {name!r}; do not use this file")
        if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
            raise UsageError(f"{path}: member {name!r} points outside the archive; do not use this file")
    return names


def read_whole(stream: BinaryIO, shown: str) -> bytes:
    """All bytes of a stream, refused when they would not fit comfortably into memory."""
    data = stream.read(MAX_WHOLE + 1)
    if len(data) > MAX_WHOLE:
        raise UsageError(f"{shown}: more than {MAX_WHOLE >> 20} MiB in one piece; is this the right file?")
    return data


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose list of members can be read.

    Raises:
        UsageError: it cannot; a damaged list raises many kinds of errors.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGED, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise UsageError(f"{path}: not a readable zip file ({error}); fetch it again") from error
    with archive:
        yield archive


def _open_member(archive: zipfile.ZipFile, stored: Stored) -> BinaryIO:
    found = [info for info in archive.infolist() if info.filename == stored.member]
    if len(found) != 1:
        raise UsageError(f"{stored.path}: holds {len(found)} members named {stored.member!r}, not one; fetch it again")
    info = found[0]
    if info.file_size > MAX_MEMBER or info.file_size > max(_FREE, MAX_RATIO * info.compress_size):
        size = f"{info.compress_size} bytes unpack to {info.file_size}"
        raise UsageError(f"{stored.shown}: {size}; this looks like a zip bomb and is not read")
    if info.flag_bits & 1:
        raise UsageError(f"{stored.shown}: the member is encrypted; unpack it yourself and put the file there")
    try:
        return cast("BinaryIO", archive.open(info))
    except (ValueError, RuntimeError, struct.error) as error:
        if isinstance(error, NotImplementedError):
            raise
        raise UsageError(f"{stored.shown}: the file is damaged or incomplete ({error}); fetch it again") from error


class _Guard(io.RawIOBase):
    """A stream that stops when it has given far more bytes than were stored."""

    def __init__(self, stream: BinaryIO, stored: int, shown: str) -> None:
        self._stream, self._shown = stream, shown
        self._given, self._most = 0, max(_FREE, MAX_RATIO * stored)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub asks for Buffer
        data = self._stream.read(len(buffer))
        self._given += len(data)
        if self._given > self._most:
            raise UsageError(f"{self._shown}: unpacks to more than {MAX_RATIO} times its size; not read")
        buffer[: len(data)] = data
        return len(data)


def _guarded(stream: BinaryIO, stored: int, shown: str) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Guard(stream, stored, shown), 1 << 16))
