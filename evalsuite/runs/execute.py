"""Executes a plan: locks the directory, asks what has no answer yet, writes everything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.engines.checked import checked
from evalsuite.errors import EngineError
from evalsuite.prompts.chat import template_date
from evalsuite.records import RunRecord, SampleRecord
from evalsuite.runs.asking.effort import Effort
from evalsuite.runs.asking.interrupt import Interrupt
from evalsuite.runs.asking.prefetch import Prefetch
from evalsuite.runs.asking.requests import Prepared, groups, request_record
from evalsuite.runs.directory.journal import Journal, JournalContent, lock, mend_journal, read_journal
from evalsuite.runs.directory.resume import RequestLog, Writing, check_resumable, check_samples
from evalsuite.runs.directory.samples import sample_record, write_document
from evalsuite.runs.directory.seal import seal_of, with_seals
from evalsuite.runs.directory.store import (
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
from evalsuite.runs.planning.plan import Plan
from evalsuite.runs.record import make_record
from evalsuite.runs.scored import unanswered
from evalsuite.safe_text import plain
from evalsuite.types import Completion, Document, Refused, Request, Skipped

if TYPE_CHECKING:
    from evalsuite.interfaces import Engine

_log = logging.getLogger(__name__)

UNITS_AHEAD = 4
"""Number of documents whose prompts are made in advance, while the model works on another."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run, in samples of all cells."""

    asked: int
    done: int
    resumed: int
    """Samples that an earlier process answered."""
    failed: int
    cell: str
    share: float = 0.0
    """Share of this process's work that is done, in tokens, 0 to 1. It does not count the work of earlier processes."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the requests that this process asked."""

    prompt: int = 0
    cached: int | None = None
    """Prompt tokens that the engine took from its cache; None if it does not say."""
    answer: int = 0

    def plus(self, request: Request, completion: Completion) -> Usage:
        """With one more answer."""
        prompt = len(request.prompt) if completion.prompt_tokens is None else completion.prompt_tokens
        cached = self.cached
        if completion.cached_tokens is not None:
            cached = (cached or 0) + completion.cached_tokens
        return Usage(self.prompt + prompt, cached, self.answer + len(completion.token_ids))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    asked: int
    done: int
    failed: int
    interrupted: bool
    """Whether it was interrupted before everything was asked."""
    damaged: tuple[int, ...] = ()
    """Damaged lines of the journal. Their samples were asked again."""
    usage: Usage = field(default_factory=Usage)


Report = Callable[[Progress], None]


def execute(plan: Plan, engine: Engine, out: Path, report: Report, *, allow_engine_change: bool = False) -> Outcome:
    """Asks all requests of a plan that have no answer in the run directory.

    Args:
        plan: what to ask.
        engine: who answers.
        out: the run directory. It is made if needed. A run of the same plan is resumed.
        report: is called after every completion.
        allow_engine_change: continue a run that began with another engine of the same model.

    Raises:
        UsageError: the directory holds another run, or is in use.
    """
    # The first prompts are made while the directory is written.
    with lock(run_directory(out)), Prefetch(groups(plan, engine), UNITS_AHEAD) as prepared:
        record = make_record(plan, engine.info, tuple(_dates(plan, engine)))
        begin(plan, record, out, allow_engine_change=allow_engine_change)
        with Interrupt() as interrupt:
            return _ask(plan, engine, out, prepared, report, interrupt)


def _dates(plan: Plan, engine: Engine) -> Iterator[str | None]:
    """The date that each block's chat template shows."""
    for block in plan.spec.blocks:
        yield template_date(engine.tokenizer, block.template_date) if block.chat_template else None


def begin(plan: Plan, record: RunRecord, out: Path, *, allow_engine_change: bool = False) -> None:
    """Writes the record, samples and documents of a run. If they are there, checks that they are the same."""
    if (out / RUN).exists():
        former = read_record(out)
        changed = check_resumable(former, record, out, allow_engine_change=allow_engine_change)
        check_samples(former, _sample_records(plan), out)
        resumed = _resumed(former, record, changed=changed)
        if resumed != former:
            write_record(out, resumed)
    else:
        write_lines(out / SAMPLES, _stored(plan, out))
        write_record(out, with_seals(record, out, (SAMPLES,)))


def _resumed(former: RunRecord, record: RunRecord, *, changed: bool) -> RunRecord:
    """The record of a resumed run, with a new name of the model if one was given, and a change of engine."""
    name = record.spec.model_name or former.spec.model_name
    engines = (*former.engine_changes, record.engine) if changed else former.engine_changes
    return replace(former, spec=replace(former.spec, model_name=name), engine_changes=engines)


def _sample_records(plan: Plan) -> Iterator[SampleRecord]:
    return (record for record, _ in _records(plan))


def _stored(plan: Plan, out: Path) -> Iterator[SampleRecord]:
    """The records of all samples. The document of a sample is stored before its record."""
    for record, document in _records(plan):
        write_document(out, document)
        yield record


def _records(plan: Plan) -> Iterator[tuple[SampleRecord, Document]]:
    for task in plan.tasks:
        reading = task.reading
        for sample in reading.samples():
            yield sample_record(reading.task.name, reading.split, sample, reading.seed), sample.document


def _ask(
    plan: Plan,
    engine: Engine,
    out: Path,
    prepared: Iterable[tuple[Prepared, ...]],
    report: Report,
    interrupt: Interrupt,
) -> Outcome:
    content, writing = _opened(plan, out)
    requests = RequestLog(out / REQUESTS, writing.open)
    with Journal(out / COMPLETIONS) as journal, requests as log:
        tally = _Tally(plan.asked, content, report, Effort(plan, engine))
        for completion in checked(engine, _pending(prepared, log, tally, interrupt)):
            writing.open()
            tally.answered(journal.append(completion))
        if not interrupt.requested:
            log.check_end()
    left = plan.asked - tally.done - tally.failed
    writing.close(finished=left == 0)
    ended_early = interrupt.requested and left > 0
    return Outcome(plan.asked, tally.done, tally.failed, ended_early, content.damaged, tally.usage)


def _opened(plan: Plan, out: Path) -> tuple[JournalContent, Writing]:
    """The answers that are there, without damaged lines, and the writer of the files' seals."""
    path = out / COMPLETIONS
    tasks = {cell.task.name: cell.task for cell in plan.cells}
    content, writing = read_journal(path), Writing(out, lambda: dump_all(unanswered(out, tasks)))
    sealed = read_record(out).sealed
    if content.damaged or COMPLETIONS not in sealed or not path.exists() or seal_of(path) != sealed[COMPLETIONS]:
        # Every line carries its own checksum and what is missing is asked again: a journal may have lost lines.
        writing.open()
        mend_journal(path, content)
    return content, writing


def _pending(
    planned: Iterable[tuple[Prepared, ...]], log: RequestLog, tally: _Tally, interrupt: Interrupt
) -> Iterator[Sequence[Request]]:
    """Groups of requests without an answer. An interrupt ends them, so that the engine finishes what it has begun."""
    for group in planned:
        if interrupt.requested:
            return
        log.write(tuple(request_record(request) for request in group))
        tally.not_asked([request for request in group if isinstance(request, Skipped | Refused)])
        requests = [request for request in group if isinstance(request, Request)]
        new = tuple(request for request in requests if tally.is_new(request))
        tally.effort.prepared(requests, new)
        if new:
            _log.debug("asking %d of %d prompts about %s", len(new), len(group), new[0].sample_id)
            yield new


class _Tally:
    """Counts samples: asked, answered before, answered now, failed."""

    def __init__(self, asked: int, content: JournalContent, report: Report, effort: Effort) -> None:
        self._asked, self._report, self.effort = asked, report, effort
        self.usage = Usage()
        self._before = {key for key, answer in content.completions.items() if answer.error is None}
        self._known = set(self._before)
        self._waiting: dict[str, list[Request]] = {}
        self._resumed = 0
        self.done = 0
        self.failed = 0

    def not_asked(self, requests: Sequence[Skipped | Refused]) -> None:
        for request in requests:
            if isinstance(request, Refused):
                self.failed += 1
                _log.debug("refused: %s: %s", request.id, plain(request.reason))
            else:
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
            raise EngineError(f"the engine answered a request that was not asked (key {completion.key})")
        self.effort.answered(completion)
        if completion.error is None:
            self._known.add(completion.key)
            self.done += len(requests)
            self.usage = self.usage.plus(requests[0], completion)
        else:
            self.failed += len(requests)
            _log.debug("failed: %s: %s", requests[0].id, plain(completion.error))
        self._tell(requests[0].cell)

    def _answered_before(self, request: Request) -> None:
        self.done += 1
        self._resumed += request.key in self._before
        self._tell(request.cell)

    def _tell(self, cell: str) -> None:
        share = self.effort.share
        self._report(Progress(self._asked, self.done, self._resumed, self.failed, cell, share))
