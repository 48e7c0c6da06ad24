"""Checks the declaration of a task when the task is loaded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from evalsuite.checked.shown import shown
from evalsuite.errors import UsageError
from evalsuite.task import Dataset, Metric, PromptProtocol, Task


def check_declaration(task: Task, origin: str) -> None:
    """Refuses a task whose declaration is wrong.

    Args:
        task: as its file made it.
        origin: the file or entry point it comes from.

    Raises:
        UsageError: the first thing wrong, with the file.
    """
    problem = next(_problems(task), None)
    if problem is not None:
        raise UsageError(f"{origin}: task {shown(task.name)}: {problem}")


def _problems(task: Task) -> Iterator[str]:
    yield from _names(task)
    yield from _splits(task)
    yield from _all_of("protocols", task.protocols, PromptProtocol)
    yield from _all_of("metrics", task.metrics, Metric)
    yield from _primary(task)
    yield from chain.from_iterable(map(_metric, task.metrics))
    yield from chain.from_iterable(map(_protocol, task.protocols))
    if not callable(task.samples):
        yield "samples must be a function of an evalsuite.task.Selection"
    if not isinstance(task.generated, bool):
        yield "generated must be True or False"
    if not isinstance(task.dataset, Dataset):
        yield "dataset must be an evalsuite.task.Dataset"


def _names(task: Task) -> Iterator[str]:
    for field in ("name", "suite", "title"):
        if not _is_text(getattr(task, field)):
            yield f"{field} must be a text that is not empty"
    if set(",=") & set(task.name) or not task.name.isprintable():
        yield "name must hold no comma, equals sign or control character: --tasks and --split could not name it"
    if not _is_whole(task.version, 0):
        yield "version must be a whole number"


def _splits(task: Task) -> Iterator[str]:
    if not isinstance(task.splits, tuple) or not all(map(_is_text, task.splits)):
        yield "splits must be a tuple of names"
    elif task.split not in task.splits:
        yield f"its default split {shown(task.split)} is none of its splits"
    if task.train_split is not None and not _is_text(task.train_split):
        yield "train_split must be the name of a split"


def _all_of(field: str, values: object, kind: type[PromptProtocol | Metric]) -> Iterator[str]:
    """Problems of a tuple of named values."""
    if not isinstance(values, tuple) or not values or not all(isinstance(value, kind) for value in values):
        yield f"{field} must be a tuple of one or more {kind.__name__}"
        return
    if not all(_is_text(value.name) for value in values):
        yield f"{field}: each needs a name"
    repeated = [name for name, times in Counter(value.name for value in values).items() if times > 1]
    if repeated:
        yield f"{field}: two are called {repeated[0]!r}"


def _primary(task: Task) -> Iterator[str]:
    primary = [metric.name for metric in task.metrics if metric.primary]
    if len(primary) != 1:
        found = f"{', '.join(primary)} are" if primary else "none is"
        yield f"exactly one metric must be primary, {found}"


def _metric(metric: Metric) -> Iterator[str]:
    if (metric.combine is None) == bool(metric.of):
        yield f"metric {metric.name!r}: combine and of (the metrics it combines) go together"
    if any(call is not None and not callable(call) for call in (metric.combine, metric.subset, metric.clusters)):
        yield f"metric {metric.name!r}: combine, subset and clusters must be functions"
    if not isinstance(metric.official, str):
        yield f"metric {metric.name!r}: official must be the name of an official function, or empty"
    if not is_positive(metric.scale):
        yield f"metric {metric.name!r}: scale is {shown(metric.scale)}; it must be a number above 0"
    if not _is_whole(metric.version, 0):
        yield f"metric {metric.name!r}: version must be a whole number"


def _protocol(protocol: PromptProtocol) -> Iterator[str]:
    least = 1 if protocol.options is None else 0
    if not _is_whole(protocol.max_new_tokens, least):
        room = shown(protocol.max_new_tokens)
        yield f"protocol {shown(protocol.name)}: max_new_tokens is {room}; it must be at least {least}"
    if not isinstance(protocol.stop, tuple) or not all(isinstance(text, str) and text for text in protocol.stop):
        yield f"protocol {shown(protocol.name)}: stop must be a tuple of texts, none of them empty"
    if protocol.own_shots is not None and not _is_whole(protocol.own_shots, 0):
        yield f"protocol {shown(protocol.name)}: own_shots is {shown(protocol.own_shots)}; it must be a whole number"
    for field in ("prompt", "score", "demonstrate", "options", "cut"):
        call = getattr(protocol, field)
        if not callable(call) and (call is not None or field in ("prompt", "score")):
            yield f"protocol {shown(protocol.name)}: {field} must be a function"


def needed_values(metrics: Iterable[Metric]) -> frozenset[str]:
    """Names of the values that every scored answer of a task must have."""
    return frozenset(name for metric in metrics for name in metric.takes)


def is_positive(value: object) -> bool:
    """Whether a value is a finite number above 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
