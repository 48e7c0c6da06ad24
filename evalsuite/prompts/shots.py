"""Few-shot demonstrations: one seeded draw, never from the sample's own document."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.errors import UsageError
from evalsuite.task import PromptProtocol
from evalsuite.types import Part, Parts, Role, Sample

PLACEHOLDER = "..."
"""Replaces a demonstration's document with ``--demo-documents placeholder``."""

POOL_DOCUMENTS = 200
"""Demonstrations are drawn from this many documents at the start of the pool. So a training split of whole books is
not read to its end."""


@dataclass(frozen=True, slots=True)
class Shots:
    """How demonstrations are drawn and shown."""

    count: int
    seed: int
    draw: Literal["task", "sample"] = "task"
    """One order for the whole task, or a new one for every sample."""
    documents: Literal["whole", "placeholder"] = "whole"


def demonstration_pool(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Samples that can be demonstrations: with text and a reference, from the first ``POOL_DOCUMENTS`` documents."""
    pool: list[Sample] = []
    documents: set[str] = set()
    for sample in samples:
        documents.add(sample.document.id)
        if len(documents) > POOL_DOCUMENTS:
            break
        if sample.document.text and sample.references:
            pool.append(sample)
    return tuple(pool)


def draw(shots: Shots, task: str, pool: Sequence[Sample], sample: Sample) -> tuple[Sample, ...]:
    """The demonstrations of one sample, in the order of the prompt.

    All samples of a task use the same draw. If a demonstration is about the sample's own document, the next one in the
    draw replaces it. Each demonstration comes from another document. The demonstration of a 1-shot prompt is also the
    first demonstration of a 2-shot prompt.

    Raises:
        UsageError: the pool has too few documents.
    """
    if not shots.count:
        return ()
    chosen: list[Sample] = []
    taken = {sample.document.id}
    for candidate in _order(shots, task, pool, sample):
        if candidate.document.id not in taken:
            taken.add(candidate.document.id)
            chosen.append(candidate)
        if len(chosen) == shots.count:
            return tuple(chosen)
    raise UsageError(
        f"task {task}: {shots.count} demonstrations asked for sample {sample.id}, but only {len(chosen)} other "
        f"documents have questions with answers; ask for fewer shots or more documents"
    )


def demonstration_parts(protocol: PromptProtocol, chosen: Sequence[Sample], shots: Shots) -> Parts:
    """The demonstrations as prompt parts.

    Raises:
        UsageError: the protocol has no demonstrations.
    """
    if not chosen:
        return ()
    if protocol.demonstrate is None:
        raise UsageError(f"protocol {protocol.name!r} is defined without demonstrations; use --shots 0")
    return tuple(
        Part(Role.DEMONSTRATION, PLACEHOLDER if _hidden(part, shots) else part.text)
        for sample in chosen
        for part in protocol.demonstrate(sample)
    )


def _hidden(part: Part, shots: Shots) -> bool:
    return shots.documents == "placeholder" and part.role is Role.DOCUMENT


def _order(shots: Shots, task: str, pool: Sequence[Sample], sample: Sample) -> Iterator[Sample]:
    """The pool in the order of the draw. Only as much as needed is drawn."""
    name = f"{task}:{shots.seed}" + (f":{sample.id}" if shots.draw == "sample" else "")
    generator = random.Random(name)  # noqa: S311 - a seeded draw, not a secret
    left = list(pool)
    while left:
        yield left.pop(generator.randrange(len(left)))
