"""Requests for tests of engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.types import Cut, Request
from evalsuite.work import Choose, Generate


def request(
    prompt: Iterable[int],
    *,
    key: str,
    document: str = "d",
    max_new_tokens: int = 4,
    stop: Sequence[str] = (),
    options: Sequence[Sequence[int]] = (),
) -> Request:
    """A request of these token ids."""
    ids = tuple(prompt)
    return Request(
        id=key,
        cell="cell",
        sample_id=key,
        document_hash=document,
        key=key,
        prompt=ids,
        work=Choose(tuple(map(tuple, options))) if options else Generate(max_new_tokens, tuple(stop)),
        cut=Cut("left", None, len(ids), "model", len(ids), len(ids)),
    )
