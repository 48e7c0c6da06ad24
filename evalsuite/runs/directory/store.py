"""Reads and writes the files of a run directory strictly: unknown or missing fields are errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evalsuite.errors import UsageError
from evalsuite.records import OLDEST_SCHEMA, SCHEMA_VERSION, RequestRecord, RunRecord
from evalsuite.runs.directory.older import upgraded
from evalsuite.runs.directory.seal import check_of, is_sealed, with_check
from evalsuite.shared_files import write_atomic, write_pieces

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

RUN, SAMPLES, REQUESTS = "run.json", "samples.jsonl", "requests.jsonl"
COMPLETIONS, SCORES, CELLS = "completions.jsonl", "scores.jsonl", "cells.json"
DOCUMENTS = "documents"
LOCK = "run.lock"
OURS = b"evalsuite"
"""The beginning of evalsuite's lock files. It distinguishes a run that never began from a folder of another program."""
AGAIN = "run its command again into a new --out"
"""Advice for damage that cannot be repaired."""


IN_FILES = {
    "SampleRecord": {"document_hash": "document"},
    "RequestRecord": {"document_hash": "document"},
    "Score": {"document_id": "document"},
}
"""Fields with another name in files: there they keep the names of earlier releases."""


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Reads and writes values of a frozen dataclass, or of a container of them; unknown fields are refused."""
    return _adapter(kind)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    import evalsuite.cells
    import evalsuite.records
    import evalsuite.types
    import evalsuite.work

    for module in (evalsuite.work, evalsuite.types, evalsuite.cells, evalsuite.records):
        for value in vars(module).values():
            if isinstance(value, type) and hasattr(value, "__dataclass_fields__"):
                names = IN_FILES.get(value.__name__, {})
                config = ConfigDict(extra="forbid", alias_generator=lambda name, names=names: names.get(name, name))
                value.__pydantic_config__ = config  # type: ignore[attr-defined]
    return TypeAdapter(kind)


def dumps(value: Any) -> str:
    """One line of JSON for a value or a tuple of values."""
    return adapter(type(value)).dump_json(value, by_alias=True).decode()


def dump_all(values: Sequence[Any]) -> bytes:
    """A JSON list of values of one kind."""
    return ("[" + ",\n ".join(dumps(value) for value in values) + "]\n").encode()


def write_lines(path: Path, values: Iterable[Any]) -> None:
    """Replaces a file by lines, one for each value."""
    write_pieces(path, (dumps(value).encode() + b"\n" for value in values))


def read_lines(path: Path, kind: type[T]) -> Iterator[T]:
    """The values of a file of JSON lines.

    Raises:
        UsageError: a line does not parse; the message names file and line.
    """
    from pydantic import ValidationError

    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield adapter(kind).validate_json(line)
            except ValidationError as error:
                raise UsageError(f"{path}:{number}: {first_error(error)}") from None


def first_error(error: Any) -> str:
    """The first problem of a validation error, in a few words."""
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in problem["loc"])
    return f"field {place!r}: {problem['msg']}" if place else str(problem["msg"])


def read_value(path: Path, kind: Any, upgrade: Callable[[bytes], bytes] = bytes) -> Any:
    """A file that holds one JSON value.

    Args:
        path: the file.
        kind: of the value.
        upgrade: converts the format of an earlier version.

    Raises:
        UsageError: it is missing, or does not parse.
    """
    from pydantic import ValidationError

    try:
        return adapter(kind).validate_json(upgrade(path.read_bytes()))
    except FileNotFoundError:
        raise UsageError(
            f"{path} is missing: {path.parent} is not a run directory (or its run never started)"
        ) from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_error(error)}") from None


def run_directory(out: Path, *, written_anew: Sequence[str] = (SAMPLES, CELLS)) -> Path:
    """Makes the run directory.

    Args:
        out: the directory.
        written_anew: files of evalsuite that may be there without a ``run.json``, because a run stopped early.

    Raises:
        UsageError: it cannot be one, or a run would overwrite files of another program.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be a run directory ({error.strerror}); choose another --out") from None
    if (out / RUN).exists():
        return out
    mine = (LOCK, DOCUMENTS, *written_anew) if is_our_lock(out / LOCK) else ()
    written = (SAMPLES, REQUESTS, COMPLETIONS, SCORES, CELLS, DOCUMENTS, LOCK)
    foreign = [name for name in written if name not in mine and (out / name).exists()]
    if foreign:
        raise UsageError(f"{out} holds {foreign[0]} but no {RUN}: not a run of evalsuite; choose another --out")
    return out


def is_our_lock(path: Path) -> bool:
    """Whether a lock file was made by evalsuite."""
    return path.is_file() and path.read_bytes().startswith(OURS)


def read_record(folder: Path) -> RunRecord:
    """The record of the run in a directory.

    Raises:
        UsageError: there is none, it is damaged, or it was written by a version with another schema.
    """
    path = folder / RUN
    if path.is_file():
        stands = check_of(path.read_bytes())
        version = _schema_version(path)
        if stands is False:
            raise UsageError(f"{path} was changed since it was written; {AGAIN}")
        if not isinstance(version, int) or not OLDEST_SCHEMA <= version <= SCHEMA_VERSION:
            known = f"{OLDEST_SCHEMA} to {SCHEMA_VERSION}"
            raise UsageError(f"{path}: schema version {version}, this evalsuite reads {known}")
    record: RunRecord = read_value(path, RunRecord, upgrade=upgraded)
    if is_sealed(record) and not record.check:
        raise UsageError(f"{path} has lost its check: it was changed since it was written; {AGAIN}")
    return record


def write_record(folder: Path, record: RunRecord) -> None:
    """Writes ``run.json`` with its check."""
    write_atomic(folder / RUN, with_check(dumps(record)))


def request_line(record: RequestRecord) -> bytes:
    """The line of a request with its check."""
    return with_check(dumps(record)) + b"\n"


def parse_request(line: bytes, *, checked: bool) -> RequestRecord | None:
    """A line of ``requests.jsonl``; None when it is damaged.

    Args:
        line: with its end.
        checked: whether it must carry a check, as lines do since schema version 2.
    """
    from pydantic import ValidationError

    stands = check_of(line.rstrip(b"\n"))
    if stands is False or (checked and stands is None):
        return None
    try:
        record: RequestRecord = adapter(RequestRecord).validate_json(line)
    except ValidationError:
        return None
    return record


def read_requests(folder: Path, record: RunRecord) -> Iterator[RequestRecord]:
    """The requests of a run, without an incomplete last line.

    Raises:
        UsageError: another line is damaged; the message names it.
    """
    path = folder / REQUESTS
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            request = parse_request(line, checked=is_sealed(record))
            if request is not None:
                yield request
            elif line.endswith(b"\n"):
                raise UsageError(f"{path}:{number}: the line is damaged; {AGAIN}")


def _schema_version(path: Path) -> object:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({error}); the run directory is damaged") from None
    return content.get("schema_version") if isinstance(content, dict) else None


def run_folders(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The run directories named: each path is one, or a folder of them.

    Raises:
        UsageError: a path holds no run.
    """
    found: list[Path] = []
    for path in paths:
        here = [path] if (path / RUN).is_file() else sorted(p.parent for p in path.glob(f"*/{RUN}"))
        if not here:
            raise UsageError(f"{path}: no run there ({RUN} is missing in it and in its folders)")
        found.extend(here)
    return tuple(dict.fromkeys(found))
