"""A run directory's files, read and written strictly: unknown or missing fields are errors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evalsuite.errors import UsageError
from evalsuite.records import RunRecord, SampleRecord
from evalsuite.types import Document, Sample

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

RUN, SAMPLES, REQUESTS = "run.json", "samples.jsonl", "requests.jsonl"
COMPLETIONS, SCORES, CELLS = "completions.jsonl", "scores.jsonl", "cells.json"
DOCUMENTS = "documents"


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Reads and writes values of a frozen dataclass, or of a container of them; unknown fields are refused."""
    return _adapter(kind)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    import evalsuite.records
    import evalsuite.types
    import evalsuite.work

    for module in (evalsuite.work, evalsuite.types, evalsuite.records):
        for value in vars(module).values():
            if isinstance(value, type) and hasattr(value, "__dataclass_fields__"):
                value.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    return TypeAdapter(kind)


def dumps(value: Any) -> str:
    """One line of JSON for a value or a tuple of values."""
    return adapter(type(value)).dump_json(value).decode()


def dump_all(values: Sequence[Any]) -> bytes:
    """A JSON list of values of one kind."""
    return ("[" + ",\n ".join(dumps(value) for value in values) + "]\n").encode()


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces a file as a whole: readers see the old or the new content, never a part."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_lines(path: Path, values: Iterable[Any]) -> None:
    """Writes one value a line, replacing the file as a whole."""
    write_atomic(path, "".join(dumps(value) + "\n" for value in values).encode())


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


def read_value(path: Path, kind: Any) -> Any:
    """A file that holds one JSON value.

    Raises:
        UsageError: it is missing, or does not parse.
    """
    from pydantic import ValidationError

    try:
        return adapter(kind).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(
            f"{path} is missing: {path.parent} is not a run directory (or its run never started)"
        ) from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_error(error)}") from None


def run_directory(out: Path) -> Path:
    """Makes the run directory.

    Raises:
        UsageError: it cannot be one, or holds files of another kind that a run would write over.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be a run directory ({error.strerror}); choose another --out") from None
    foreign = [] if (out / RUN).exists() else [name for name in (REQUESTS, COMPLETIONS) if (out / name).exists()]
    if foreign:
        raise UsageError(f"{out} holds {foreign[0]} but no {RUN}: not one of our runs; choose another --out")
    return out


def read_record(folder: Path) -> RunRecord:
    """The record of the run in a directory.

    Raises:
        UsageError: there is none, or it was written by a version with another schema.
    """
    from evalsuite.records import SCHEMA_VERSION

    path = folder / RUN
    if path.is_file():
        version = _schema_version(path)
        if version != SCHEMA_VERSION:
            raise UsageError(f"{path}: schema version {version}, this evalsuite reads {SCHEMA_VERSION}")
    record: RunRecord = read_value(path, RunRecord)
    return record


def _schema_version(path: Path) -> object:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
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


def write_document(folder: Path, document: Document) -> None:
    """Stores a document's text once, by content hash."""
    import zstandard

    path = folder / DOCUMENTS / f"{document.hash}.txt.zst"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, zstandard.compress(document.text.encode("utf-8", "surrogatepass")))


def read_document(folder: Path, digest: str) -> str:
    """The text of a stored document.

    Raises:
        UsageError: it is not there or damaged.
    """
    import zstandard

    path = folder / DOCUMENTS / f"{digest}.txt.zst"
    if not path.is_file():
        raise UsageError(f"{path} is missing: the run directory is damaged; run again into a new --out")
    try:
        return zstandard.decompress(path.read_bytes()).decode("utf-8", "surrogatepass")
    except (zstandard.ZstdError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: damaged ({error}); run again into a new --out") from None


def sample_record(task: str, split: str, sample: Sample) -> SampleRecord:
    """The line that stores a sample."""
    return SampleRecord(
        task=task,
        split=split,
        length=sample.document.length,
        id=sample.id,
        document=sample.document.hash,
        document_id=sample.document.id,
        question=sample.question,
        references=sample.references,
        choices=sample.choices,
        gold=sample.gold,
        evidence=sample.evidence,
        attributes=sample.attributes,
    )


def read_samples(folder: Path) -> Iterator[tuple[SampleRecord, Sample]]:
    """The samples of a run with their records, each document's text read once."""
    documents: dict[tuple[str, str], Document] = {}
    for record in read_lines(folder / SAMPLES, SampleRecord):
        key = (record.document_id, record.document)
        if key not in documents:
            documents[key] = Document(record.document_id, read_document(folder, record.document), record.length)
        yield (
            record,
            Sample(
                record.id,
                documents[key],
                record.question,
                record.references,
                record.choices,
                record.gold,
                record.evidence,
                record.attributes,
            ),
        )
