"""Seals: line counts and checksums that show whether a file of a run was changed.

``run.json`` and every line of ``requests.jsonl`` have a checksum of themselves. ``run.json`` has the seals of the other
files. A seal finds damage and careless edits. It does not stop somebody who makes new seals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.records import SEALED_SINCE, FileSeal, RunRecord

_CHECK = re.compile(rb'\{"check":"([0-9a-f]*)"')
_EMPTY = b'{"check":""'
_BLOCK = 1 << 20


def with_check(text: str) -> bytes:
    """The JSON of a value whose first field is ``check``, with that field filled in."""
    plain = _CHECK.sub(_EMPTY, text.encode(), count=1)
    return b'{"check":"' + _digest(plain) + b'"' + plain[len(_EMPTY) :]


def check_of(raw: bytes) -> bool | None:
    """Whether the checksum of a JSON text is right; None if it has none (before schema version 2)."""
    found = _CHECK.match(raw)
    if found is None or not found[1]:
        return None
    return found[1] == _digest(_EMPTY + raw[found.end() :])


_ID = re.compile(rb'\{"check":"[0-9a-f]{16}","id":("(?:[^"\\]|\\.)*")')


def line_check(line: bytes) -> bytes:
    """The check that a line carries."""
    found = _CHECK.match(line)
    return b"" if found is None else found[1]


def request_id(line: bytes) -> str | None:
    """The id of a request's line; None when the line is damaged."""
    found = _ID.match(line)
    if found is None or not check_of(line.rstrip(b"\n")):
        return None
    return str(json.loads(found[1]))


def seal_of(path: Path) -> FileSeal:
    """Line count and checksum of a file now."""
    digest, count = sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            count += block.count(b"\n")
    return FileSeal(count, digest.hexdigest())


def is_sealed(record: RunRecord) -> bool:
    """Whether a version with seals wrote the run."""
    return record.schema_version >= SEALED_SINCE


def with_seals(record: RunRecord, folder: Path, names: Iterable[str]) -> RunRecord:
    """The record with new seals of these files. The seals of other files stay."""
    if not is_sealed(record):
        return record
    return replace(record, sealed={**record.sealed, **{name: seal_of(folder / name) for name in names}})


def check_seals(folder: Path, record: RunRecord, names: Iterable[str], advice: str) -> None:
    """Refuses files that differ from their seals. Files without a seal are accepted.

    Raises:
        UsageError: a file is missing or was changed; the message names it.
    """
    for name in names:
        seal, path = record.sealed.get(name), folder / name
        if seal is None:
            continue
        if not path.is_file():
            raise UsageError(f"{path} is missing: the run directory is damaged; {advice}")
        found = seal_of(path)
        if found != seal:
            raise changed(path, seal, found, advice)


def changed(path: Path, seal: FileSeal, found: FileSeal, advice: str) -> UsageError:
    """The error for a file that differs from its seal."""
    counts = f" ({found.lines} lines, {seal.lines} were written)" if found.lines != seal.lines else ""
    return UsageError(f"{path} was changed since it was written{counts}; {advice}")


def _digest(raw: bytes) -> bytes:
    return sha256(raw).hexdigest()[:16].encode()
