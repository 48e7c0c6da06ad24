"""Reads records from bytes: JSON Lines, a JSON list, one JSON object, CSV, parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from evalsuite.errors import UsageError, needs
from evalsuite.sources.row import Record
from evalsuite.sources.storage import MAX_WHOLE, Stored, read_whole
from evalsuite.types import Json

_BATCH = 64
"""Rows of a parquet file in memory at one time. A row may contain a book."""
_BOM = b"\xef\xbb\xbf"


class _DoubledError(ValueError):
    """A JSON object that names a field twice."""


def once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """The object with these fields. A field may occur only once, because it is unclear which one is right."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _DoubledError(f"field {twice[:40]!r} stands twice in one object; mend the file")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=once)


def records(stored: Stored, name: str) -> Iterator[Record]:
    """Rows of a file: by its ending for CSV and parquet, by its first character for JSON.

    Args:
        stored: the bytes.
        name: the file's name without ``.gz``, whose ending is meant.

    Raises:
        UsageError: a row that cannot be read, by file and line.
    """
    if name.endswith(".parquet"):
        yield from _parquet(stored)
        return
    with stored.open() as stream:
        if name.endswith(".csv"):
            yield from _csv(stream, stored.shown)
        else:
            yield from _json(stream, stored.shown)


def json_object(stored: Stored) -> Record:
    """A file that is one JSON object."""
    with stored.open() as stream:
        text = decode(read_whole(stream, stored.shown), stored.shown)
    return _record(load_json(text, stored.shown, 1), f"{stored.shown}:1")


def decode(data: bytes, where: str) -> str:
    """UTF-8 text, a byte order mark dropped.

    Raises:
        UsageError: the bytes are not UTF-8.
    """
    try:
        return data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 (byte {error.start} of it); save the file as UTF-8") from error


def _json(stream: BinaryIO, shown: str) -> Iterator[Record]:
    for index, (number, line) in enumerate(_lines(stream, shown)):
        if index == 0 and line.lstrip()[:1] == b"[":
            yield from _json_list(line + b"\n" + read_whole(stream, shown), shown, number)
            return
        yield _record(load_json(decode(line, f"{shown}:{number}"), shown, number), f"{shown}:{number}")


def _lines(stream: BinaryIO, shown: str) -> Iterator[tuple[int, bytes]]:
    """Numbered lines that are not blank."""
    number = 0
    while line := stream.readline(MAX_WHOLE + 1):
        number += 1
        if len(line) > MAX_WHOLE:
            raise UsageError(f"{shown}:{number}: a line of more than {MAX_WHOLE >> 20} MiB; is this the right file?")
        if line.removeprefix(_BOM).strip():
            yield number, line.removeprefix(_BOM).rstrip(b"\r\n")


def load_json(text: str, shown: str, line: int, **how: Any) -> Any:
    """A JSON value.

    Args:
        text: what to read.
        shown: the file, for messages.
        line: the number of the text's first line.
        how: as ``json.loads`` takes it.

    Raises:
        UsageError: it is not valid, or no data.
    """
    try:
        return json.loads(text, **{"object_pairs_hook": once, **how})
    except json.JSONDecodeError as error:
        at = line + error.lineno - 1
        raise UsageError(f"{shown}:{at}: not valid JSON ({error.msg}, column {error.colno})") from error
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{shown}:{line}: {_unfit(error)}") from error


def _unfit(error: RecursionError | ValueError) -> str:
    """Why JSON that may be well-formed cannot be data."""
    return (
        str(error)
        if isinstance(error, _DoubledError)
        else "JSON nested too deeply, or with a number too long, to be data"
    )


def _json_list(data: bytes, shown: str, line: int) -> Iterator[Record]:
    """Rows of a JSON list one after the other, so that an error can name its line."""
    text = decode(data, shown)
    at = _skip(text, text.index("[") + 1)
    seen, index = 0, 0
    while at < len(text) and text[at] != "]":
        line, seen, index = line + text.count("\n", seen, at), at, index + 1
        where = f"{shown}:{line} (record {index})"
        try:
            value, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            at = line + text.count("\n", seen, error.pos)
            raise UsageError(f"{where}: not valid JSON ({error.msg}, line {at} column {error.colno})") from error
        except (RecursionError, ValueError) as error:
            raise UsageError(f"{where}: {_unfit(error)}") from error
        yield _record(value, where)
        at = _separator(text, at, where)
    if text[at : at + 1] != "]" or text[at + 1 :].strip():
        raise UsageError(f"{shown}: the JSON list does not end properly; the file looks incomplete")


def _separator(text: str, at: int, where: str) -> int:
    """The start of the next item or the closing bracket."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        return _skip(text, at + 1)
    if text[at : at + 1] != "]":
        raise UsageError(f"{where}: a comma or the end of the list must follow")
    return at


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _record(value: Json, where: str) -> Record:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: must be a JSON object, not {type(value).__name__}")
    return Record(value, where)


def _csv(stream: BinaryIO, shown: str) -> Iterator[Record]:
    csv.field_size_limit(sys.maxsize)  # a paper or a book in one field exceeds the default of 128 KiB
    with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            yield from _csv_rows(reader, shown)
        except csv.Error as error:
            raise UsageError(f"{shown}:{reader.line_num}: not valid CSV ({error})") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{shown}:{reader.line_num + 1}: not UTF-8; save the file as UTF-8") from error


def _csv_rows(reader: Any, shown: str) -> Iterator[Record]:
    """Rows under the header's names; a row is named by its first line."""
    header: list[str] = next(reader, [])
    doubled = [name for name, count in Counter(header).items() if count > 1]
    if doubled:
        raise UsageError(f"{shown}:1: the header names {doubled[0][:40]!r} twice; mend the file")
    start = reader.line_num + 1
    for fields in reader:
        if fields:
            yield _csv_record(header, fields, f"{shown}:{start}")
        start = reader.line_num + 1


def _csv_record(header: list[str], fields: list[str], where: str) -> Record:
    if len(fields) != len(header):
        raise UsageError(f"{where}: {len(fields)} fields where the header names {len(header)} ({', '.join(header)})")
    return Record(dict(zip(header, fields, strict=True)), where)


def _parquet(stored: Stored) -> Iterator[Record]:
    if stored.member or stored.path.suffix == ".gz":
        raise UsageError(f"{stored.shown}: a parquet file cannot be read inside an archive; unpack it")
    with needs("data", f"{stored.shown}: parquet"):
        from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(stored.path) as file:
            doubled = [name for name, count in Counter(file.schema_arrow.names).items() if count > 1]
            if doubled:
                raise UsageError(f"{stored.shown}: has two columns named {doubled[0][:40]!r}; mend the file")
            values = (value for batch in file.iter_batches(_BATCH) for value in batch.to_pylist())
            for number, value in enumerate(values, start=1):
                yield Record(value, f"{stored.shown}:{number}")
    except (ArrowException, ValueError, OSError, OverflowError, MemoryError) as error:
        why = " ".join(str(error).split())[:200]
        raise UsageError(f"{stored.shown}: not a readable parquet file ({why})") from error
