"""The run, top to bottom: plan, check, lock, ask what the journal does not answer yet, write everything down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.engines.checked import checked
from evalsuite.errors import UsageError
from evalsuite.records import RunRecord, SampleRecord
from evalsuite.runs.interrupt import Interrupt
from evalsuite.runs.journal import Journal, JournalContent, lock, mend_journal, read_journal
from evalsuite.runs.plan import Plan
from evalsuite.runs.possible import askable
from evalsuite.runs.prefetch import prefetch
from evalsuite.runs.record import make_record
from evalsuite.runs.requests import groups, request_record
from evalsuite.runs.resume import RequestLog, Writing, check_resumable, check_samples
from evalsuite.runs.samples import sample_record, write_document
from evalsuite.runs.scored import unanswered
from evalsuite.runs.seal import seal_of, with_seals
from evalsuite.runs.store import (
    COMPLETIONS,
    REQUESTS,
    RUN,
    SAMPLES,
    dump_all,
    read_record,
    run_directory,
    write_lines,
    write_record,
)
from evalsuite.types import Completion, Request, Skipped

if TYPE_CHECKING:
    from evalsuite.protocols import Engine

GROUPS_AHEAD = 4
"""Documents whose prompts are made while the model works on another."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, in samples over all cells."""

    asked: int
    done: int
    resumed: int
    """Of those done, how many a former process had answered."""
    failed: int
    cell: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    asked: int
    done: int
    failed: int
    interrupted: bool
    """It was asked to end, and something was left to ask."""
    damaged: tuple[int, ...] = ()
    """Lines of the journal that could not be read; what they answered was asked again."""


Report = Callable[[Progress], None]


def execute(plan: Plan, engine: Engine, out: Path, report: Report, *, allow_engine_change: bool = False) -> Outcome:
    """Asks every request of a plan that the run directory holds no answer to.

    Args:
        plan: what to ask.
        engine: who answers.
        out: the run directory; made if absent, resumed if it holds a run of the same plan.
        report: called after every completion.
        allow_engine_change: go on with another engine (of the same model) than the run began with.

    Raises:
        UsageError: the directory holds another run or is in use, or some prompt can never fit.
    """
    plan = askable(plan, engine)
    with lock(run_directory(out)):
        begin(plan, make_record(plan, engine.info), out, allow_engine_change=allow_engine_change)
        with Interrupt() as interrupt:
            return _ask(plan, engine, out, report, interrupt)


def begin(plan: Plan, record: RunRecord, out: Path, *, allow_engine_change: bool = False) -> None:
    """Writes a run's record, samples and documents, or checks that those there are of the same run."""
    if (out / RUN).exists():
        former = read_record(out)
        changed = check_resumable(former, record, out, allow_engine_change=allow_engine_change)
        check_samples(former, _sample_records(plan), out)
        resumed = _resumed(former, record, changed=changed)
        if resumed != former:
            write_record(out, resumed)
    else:
        for task in plan.tasks:
            for sample in task.samples:
                write_document(out, sample.document)
        write_lines(out / SAMPLES, _sample_records(plan))
        write_record(out, with_seals(record, out, (SAMPLES,)))


def _resumed(former: RunRecord, record: RunRecord, *, changed: bool) -> RunRecord:
    """The record of a run that goes on: another name of its model where one is asked for, another engine noted."""
    name = record.spec.model_name or former.spec.model_name
    engines = (*former.engine_changes, record.engine) if changed else former.engine_changes
    return replace(former, spec=replace(former.spec, model_name=name), engine_changes=engines)


def _sample_records(plan: Plan) -> Iterator[SampleRecord]:
    for task in plan.tasks:
        setting = task.cells[0].setting
        for sample in task.samples:
            yield sample_record(setting.task, setting.split, sample)


def _ask(plan: Plan, engine: Engine, out: Path, report: Report, interrupt: Interrupt) -> Outcome:
    content, writing = _opened(plan, out)
    requests = RequestLog(out / REQUESTS, read_record(out), writing.open)
    with Journal(out / COMPLETIONS) as journal, requests as log:
        tally = _Tally(plan.asked, content, report)
        with closing(prefetch(groups(plan, engine), GROUPS_AHEAD)) as planned:
            pending = _pending(planned, log, tally, interrupt)
            for completion in checked(engine, pending):
                writing.open()
                tally.answered(journal.append(completion))
        if not interrupt.requested:
            log.check_end()
    writing.close()
    left = plan.asked - tally.done - tally.failed
    return Outcome(plan.asked, tally.done, tally.failed, interrupt.requested and left > 0, content.damaged)


def _opened(plan: Plan, out: Path) -> tuple[JournalContent, Writing]:
    """What is answered already, damaged lines taken out, and the guard of the files' seals."""
    path = out / COMPLETIONS
    content, writing = read_journal(path), Writing(out, lambda record: dump_all(unanswered(record, plan)))
    sealed = read_record(out).sealed
    if content.damaged or COMPLETIONS not in sealed or not path.exists() or seal_of(path) != sealed[COMPLETIONS]:
        # Every line carries its own checksum and what is missing is asked again: a journal may have lost lines.
        writing.open()
        mend_journal(path, content)
    return content, writing


def _pending(
    planned: Iterable[tuple[Request | Skipped, ...]], log: RequestLog, tally: _Tally, interrupt: Interrupt
) -> Iterator[Sequence[Request]]:
    """Groups of requests still to be asked; dries up on an interrupt, so that the engine ends what it has begun."""
    for group in planned:
        if interrupt.requested:
            return
        log.write(tuple(request_record(request) for request in group))
        tally.skipped([request for request in group if isinstance(request, Skipped)])
        new = tuple(request for request in group if isinstance(request, Request) and tally.is_new(request))
        if new:
            yield new


class _Tally:
    """Counts what is asked, answered before, answered now and failed."""

    def __init__(self, asked: int, content: JournalContent, report: Report) -> None:
        self._asked, self._report = asked, report
        self._before = {key for key, answer in content.completions.items() if answer.error is None}
        self._known = set(self._before)
        self._waiting: dict[str, list[Request]] = {}
        self._resumed = 0
        self.done = 0
        self.failed = 0

    def skipped(self, requests: Sequence[Skipped]) -> None:
        for request in requests:
            self.done += 1
            self._tell(request.cell)

    def is_new(self, request: Request) -> bool:
        if request.key in self._known:
            self._answered_before(request)
            return False
        waiting = self._waiting.setdefault(request.key, [])
        waiting.append(request)
        return len(waiting) == 1

    def answered(self, completion: Completion) -> None:
        requests = self._waiting.pop(completion.key, None)
        if requests is None:
            raise UsageError(f"the engine answered a request that was not asked (key {completion.key}): a defect in it")
        if completion.error is None:
            self._known.add(completion.key)
            self.done += len(requests)
        else:
            self.failed += len(requests)
        self._tell(requests[0].cell)

    def _answered_before(self, request: Request) -> None:
        self.done += 1
        self._resumed += request.key in self._before
        self._tell(request.cell)

    def _tell(self, cell: str) -> None:
        self._report(Progress(self._asked, self.done, self._resumed, self.failed, cell))
