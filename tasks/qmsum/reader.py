"""Reads QMSum: ``{train,val,test}.jsonl``, the repository's ``data/ALL`` with a file a meeting, or SCROLLS' packing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from pathlib import PurePosixPath
from typing import cast

from evalsuite.task import Row, Selection, Source
from evalsuite.types import Document, Json, Sample, Span

from . import scrolls

FILES = {"train": "train", "validation": "val", "test": "test"}
"""Our names of the splits to QMSum's."""
_LONGEST_TURN = 9
"""Digits of a turn's number."""


def samples(selection: Selection) -> Iterator[Sample]:
    """Every query of every meeting, the general ones first.

    Raises:
        UsageError: no file, or a field that is missing, of the wrong kind, or outside the transcript.
    """
    if packed := selection.source.find(f"qmsum/{selection.split}.jsonl"):
        yield from scrolls.samples(packed, selection.source)
        return
    for name, row in _meetings(selection.source, FILES[selection.split], selection.split):
        lines = [f"{turn.text('speaker')}: {turn.text('content')}" for turn in row.rows("meeting_transcripts")]
        document = Document(name, "\n".join(lines))
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        for kind in ("general", "specific"):
            for index, query in enumerate(row.rows(f"{kind}_query_list")):
                yield Sample(
                    id=f"{name}/{kind}-{index}",
                    document=document,
                    question=query.text("query"),
                    references=(query.text("answer"),),
                    evidence=_evidence(query, starts) if kind == "specific" else None,
                    attributes={"kind": kind},
                )


def _meetings(source: Source, file: str, split: str) -> Iterator[tuple[str, Row]]:
    """Meetings with a name: its own where each has a file, else split and line."""
    apart = source.find(f"data/ALL/{file}/*.json", f"ALL/{file}/*.json", f"{file}/*.json")
    packed = source.find(f"{file}.jsonl", f"data/ALL/jsonl/{file}.jsonl", f"ALL/jsonl/{file}.jsonl")
    if apart and not packed:
        yield from ((PurePosixPath(meeting.name).stem, meeting.json()) for meeting in apart)
        return
    meetings = (packed or source.need(f"{file}.jsonl"))[0]
    yield from ((f"{split}-{index}", row) for index, row in enumerate(meetings.records()))


def _evidence(query: Row, starts: list[int]) -> tuple[Span, ...]:
    """The turns marked as relevant, from first to last inclusive, as stretches of the transcript."""
    turns = len(starts) - 1
    spans = []
    pairs = query.get("relevant_text_span", [])
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        first, last = _turns(query, pair)
        if not 0 <= first <= last < turns:
            raise query.error("relevant_text_span", f"names turns {first} to {last} of a meeting of {turns} turns")
        spans.append(Span(starts[first], starts[last + 1] - 1))
    return tuple(spans)


def _turns(query: Row, pair: object) -> tuple[int, int]:
    numbers = [_turn(number) for number in pair] if isinstance(pair, list) else []
    if len(numbers) != 2 or None in numbers:  # noqa: PLR2004 - a pair
        raise query.error("relevant_text_span", "must be a list of pairs of turn numbers")
    return cast("tuple[int, int]", tuple(numbers))


def _turn(value: Json) -> int | None:
    """A turn's number, which QMSum writes as a string of digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_TURN:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
