"""What a benchmark brings besides its tasks, each call guarded: an exception of its code is one line with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalsuite.benchmark import Benchmark, Predictions, Submission, TaskAnswers
from evalsuite.checked.shown import told
from evalsuite.errors import UsageError
from evalsuite.task import Task


def guarded_benchmark(found: object, origin: str) -> Benchmark:
    """The benchmark with its readers and its writer guarded.

    Args:
        found: what the plug-in calls ``BENCHMARK``.
        origin: the file or entry point it comes from, for messages.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(found, Benchmark):
        raise UsageError(f"{origin}: BENCHMARK must be an evalsuite.benchmark.Benchmark")
    submission = found.submission
    return replace(
        found,
        predictions=tuple(_predictions(one, origin) for one in found.predictions),
        submission=None if submission is None else _submission(submission, origin),
    )


def _predictions(one: Predictions, origin: str) -> Predictions:
    what = f"{origin}: the reader of the prediction format {one.name!r}"
    return replace(one, read=_Read(what, one.read), model=None if one.model is None else _Call(what, one.model))


def _submission(one: Submission, origin: str) -> Submission:
    return replace(one, write=_Call(f"{origin}: the writer of the submission {one.suite!r}", one.write))


@dataclass(frozen=True, slots=True)
class _Call:
    """A function of a benchmark."""

    what: str
    call: Any

    def __call__(self, *arguments: Any) -> Any:
        with _guard(self.what):
            return self.call(*arguments)


@dataclass(frozen=True, slots=True)
class _Read:
    """A reader of predictions, which may yield."""

    what: str
    call: Any

    def __call__(self, files: Sequence[Path], tasks: Mapping[str, Task], data: Path | None) -> Iterator[TaskAnswers]:
        with _guard(self.what):
            yield from self.call(files, tasks, data)


@contextmanager
def _guard(what: str) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, UsageError):
        raise
    except BaseException as error:  # sys.exit() included
        raise UsageError(f"{what} raised {told(error)}; mend that code, or the file it reads") from error
