"""Reads QMSum as SCROLLS packs it (tau/scrolls): a row has the query, two newlines, and the cleaned transcript."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from evalsuite.task import File, Row, Source
from evalsuite.types import Document, Sample


def samples(files: Sequence[File], source: Source) -> Iterator[Sample]:
    """Every query of every meeting; rows of one query give it several references.

    Raises:
        UsageError: a malformed row, or one without an answer (the test split is published without).
    """
    source.note("QMSum is read from SCROLLS: cleaned transcripts, no evidence, general and specific queries not marked")
    meetings: dict[str, dict[str, list[Row]]] = {}
    for row in (row for file in files for row in file.records()):
        _, transcript = _split(row)
        meetings.setdefault(transcript, {}).setdefault(row.identifier("id"), []).append(row)
    for transcript, queries in meetings.items():
        document = Document(f"meeting-{sha256(transcript.encode()).hexdigest()[:12]}", transcript)
        for name, rows in queries.items():
            asked = _split(rows[0])[0]
            for row in rows:
                if _split(row)[0] != asked:
                    raise row.error("id", f"is {name!r} again, but with another query")
            yield Sample(name, document, asked, tuple(row.text("output") for row in rows))


def _split(row: Row) -> tuple[str, str]:
    query, separator, transcript = row.text("input").partition("\n\n")
    if not separator:
        raise row.error("input", "must be a query, two newlines and a transcript")
    return query, transcript
