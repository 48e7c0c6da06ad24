"""Checks each call of a task's functions. An exception or an impossible value names task, sample and file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeVar

from evalsuite.checked.declaration import check_declaration, needed_values
from evalsuite.checked.samples import SampleCheck, is_writable
from evalsuite.checked.shown import shown, told
from evalsuite.errors import TaskError, UsageError
from evalsuite.interfaces import OfficialCut, OfficialCutInput
from evalsuite.task import Metric, PromptProtocol, Selection, Task
from evalsuite.types import Completion, Part, Parts, Role, Sample, ScoredAnswer

T = TypeVar("T")

_END = object()
ROUNDING = 1e-6
"""Through rounding, a mean of values up to 100 may be a little larger."""


def guarded(task: Task, origin: str) -> Task:
    """The task, with a check around each of its functions.

    Args:
        task: as its file made it.
        origin: the file or entry point it comes from, for messages.

    Raises:
        UsageError: what it declares cannot be.
    """
    check_declaration(task, origin)
    owner = _Owner(task.name, origin)
    return replace(
        task,
        samples=_Samples(owner, "samples", task.samples),
        protocols=tuple(_protocol(owner, protocol, task.metrics) for protocol in task.protocols),
        metrics=tuple(_metric(owner, metric) for metric in task.metrics),
    )


def _protocol(owner: _Owner, protocol: PromptProtocol, metrics: tuple[Metric, ...]) -> PromptProtocol:
    shown, options, cut = protocol.demonstrate, protocol.options, protocol.cut
    return replace(
        protocol,
        prompt=_Prompt(owner, "prompt", protocol.prompt),
        score=_Scorer(owner, "score", protocol.score, needed_values(metrics)),
        demonstrate=None if shown is None else _Prompt(owner, "demonstrate", shown),
        options=None if options is None else _Options(owner, "options", options),
        cut=None if cut is None else _Cut(owner, "cut", cut),
    )


def _metric(owner: _Owner, metric: Metric) -> Metric:
    combine, subset, clusters = metric.combine, metric.subset, metric.clusters
    return replace(
        metric,
        combine=None if combine is None else _Combine(owner, f"combine of metric {metric.name!r}", combine),
        subset=None if subset is None else _Subset(owner, f"subset of metric {metric.name!r}", subset),
        clusters=None if clusters is None else _Clusters(owner, f"clusters of metric {metric.name!r}", clusters),
    )


@dataclass(frozen=True, slots=True)
class _Owner:
    """The task of a function."""

    task: str
    origin: str

    def wrong(self, what: str, problem: str, sample: str | None = None, where: str | None = None) -> TaskError:
        """The error for an impossible value."""
        asked = "" if sample is None else f", sample {sample!r}"
        return TaskError(f"task {self.task}{asked}: its {what} {problem} ({where or self.origin})")

    def raised(self, what: str, error: BaseException, sample: str | None = None) -> TaskError:
        """The error for a function that raised an exception."""
        return self.wrong(what, f"raised {told(error)}", sample, self._place(error))

    def _place(self, error: BaseException) -> str | None:
        """``file:line`` of the innermost call inside the task's folder; of all calls where its folder is not known."""
        frames = list(extract_tb(error.__traceback__))
        folder = Path(self.origin).parent
        if folder.is_absolute():
            frames = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


@dataclass(frozen=True)
class _Call:
    """A function of a task."""

    owner: _Owner
    what: str
    call: Callable[..., Any]

    def _ask(self, sample: str | None, check: Callable[[Any], T], *arguments: object) -> T:
        """Its value, checked. The check asks the task's own values, which may raise things themselves.

        Raises:
            TaskError: it raised an exception, also ``sys.exit``. Only Ctrl-C is passed on.
        """
        try:
            return check(self.call(*arguments))
        except (KeyboardInterrupt, TaskError):
            raise
        except BaseException as error:
            raise self.owner.raised(self.what, error, sample) from error

    def _wrong(self, sample: str | None, problem: str) -> TaskError:
        return self.owner.wrong(self.what, problem, sample)


class _Samples(_Call):
    def __call__(self, selection: Selection) -> Iterator[Sample]:
        found = self._rows(selection)
        check, before = SampleCheck(self.owner.task), None
        while True:
            sample = self._next(found, check, before)
            if sample is None:
                return
            before = sample.id
            yield sample

    def _rows(self, selection: Selection) -> Iterator[Any]:
        try:
            rows: Iterator[Any] = iter(self.call(selection))
        except (KeyboardInterrupt, UsageError):
            raise
        except BaseException as error:
            raise self.owner.raised(self.what, error) from error
        return rows

    def _next(self, found: Iterator[Any], check: SampleCheck, before: str | None) -> Sample | None:
        behind = self.what if before is None else f"{self.what} (after {before!r})"
        try:
            sample = next(found, _END)
            if isinstance(sample, Sample):
                check.check(sample)
        except (KeyboardInterrupt, UsageError):  # the data is wrong, and the message says where
            raise
        except BaseException as error:
            raise self.owner.raised(behind, error) from error
        if sample is _END:
            return None
        if not isinstance(sample, Sample):
            raise self.owner.wrong(behind, f"gave {shown(sample)}, no evalsuite.types.Sample")
        return sample


class _Prompt(_Call):
    def __call__(self, sample: Sample) -> Parts:
        return self._ask(sample.id, lambda parts: self._sound(parts, sample), sample)

    def _sound(self, parts: Any, sample: Sample) -> Parts:
        if not isinstance(parts, tuple) or not parts or not all(isinstance(part, Part) for part in parts):
            raise self._wrong(sample.id, f"gave {shown(parts)}, not a tuple of evalsuite.types.Part")
        for part in parts:
            if part.role is Role.DOCUMENT:
                self._check_document(part, sample)
            elif not isinstance(part.role, Role) or not isinstance(part.text, str) or not is_writable(part.text):
                raise self._wrong(sample.id, f"has a {part.role!s} part that is no text: {shown(part.text)}")
        found: Parts = parts
        return found

    def _check_document(self, part: Part, sample: Sample) -> None:
        if part.text != sample.document.text:
            raise self._wrong(
                sample.id, "has a document part that is another text than its document's: evidence could not be found"
            )


class _Options(_Call):
    def __call__(self, sample: Sample) -> tuple[str, ...]:
        return self._ask(sample.id, lambda options: self._sound(options, sample.id), sample)

    def _sound(self, options: Any, sample: str) -> tuple[str, ...]:
        if not isinstance(options, tuple) or not options:
            raise self._wrong(sample, f"are {shown(options)}, not a tuple of one or more texts")
        for option in options:
            if not isinstance(option, str) or not option or not is_writable(option):
                raise self._wrong(sample, f"hold {shown(option)}: an option must be a text that is not empty")
        return options


class _Cut(_Call):
    def __call__(self, asked: OfficialCutInput) -> OfficialCut:
        return self._ask(asked.sample.id, lambda made: self._sound(made, asked.sample.id), asked)

    def _sound(self, made: Any, sample: str) -> OfficialCut:
        if not isinstance(made, OfficialCut):
            raise self._wrong(sample, f"gave {shown(made)}, no evalsuite.interfaces.OfficialCut")
        return made


@dataclass(frozen=True)
class _Scorer(_Call):
    needed: frozenset[str]

    def __call__(self, sample: Sample, completion: Completion) -> ScoredAnswer:
        return self._ask(sample.id, lambda scored: self._sound(scored, sample.id), sample, completion)

    def _sound(self, scored: Any, sample: str) -> ScoredAnswer:
        if not isinstance(scored, ScoredAnswer):
            raise self._wrong(sample, f"gave {shown(scored)}, no evalsuite.types.ScoredAnswer")
        for what, text in (("read the answer", scored.answer), ("skipped it for", scored.skipped)):
            if not isinstance(text, str) or not is_writable(text):
                raise self._wrong(sample, f"{what} {shown(text)}, which is no text")
        if scored.skipped:
            return scored
        if not isinstance(scored.values, Mapping):
            raise self._wrong(sample, f"gave the values {shown(scored.values)}, which are no mapping")
        missing = sorted(self.needed - set(scored.values))
        if missing:
            raise self._wrong(sample, f"gave no value of {missing[0]!r}")
        values = {name: self._value(sample, name, value) for name, value in scored.values.items()}
        return replace(scored, values=values, scorable=bool(scored.scorable))

    def _value(self, sample: str, name: object, value: Any) -> float:
        if not isinstance(name, str) or not is_writable(name):
            raise self._wrong(sample, f"names a metric {shown(name)}, which is no text")
        if not is_percentage(value):
            raise self._wrong(sample, f"gave {name} = {shown(value)}; values are numbers from 0 to 100")
        return float(value)


class _Combine(_Call):
    def __call__(self, means: Mapping[str, float]) -> float:
        return self._ask(None, self._sound, means)

    def _sound(self, value: Any) -> float:
        if not is_percentage(value):
            raise self._wrong(None, f"gave {shown(value)}; values are numbers from 0 to 100")
        return float(value)


class _Subset(_Call):
    def __call__(self, sample: Sample) -> bool:
        return self._ask(sample.id, bool, sample)


class _Clusters(_Call):
    def __call__(self, sample: Sample) -> str:
        return self._ask(sample.id, lambda label: self._sound(label, sample.id), sample)

    def _sound(self, label: Any, sample: str) -> str:
        if not isinstance(label, str):
            raise self._wrong(sample, f"gave {shown(label)}, which is no text")
        return label


def is_percentage(value: object) -> bool:
    """Whether a value is a number from 0 to 100. True and False are not numbers."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
    return math.isfinite(number) and -ROUNDING <= number <= 100 + ROUNDING
