"""Judging: each asked sample becomes a score that says scored, unscorable, skipped or failed."""

from __future__ import annotations

from collections.abc import Mapping

from evalsuite.records import RequestRecord
from evalsuite.task import PromptProtocol
from evalsuite.types import Completion, Sample, Score, Status

NOT_ANSWERED = "no answer yet: the run was interrupted; resume it"


def score_sample(
    request: RequestRecord, sample: Sample, protocol: PromptProtocol, completions: Mapping[str, Completion]
) -> Score | None:
    """The outcome of one request; None while it has no answer yet."""
    if request.skipped is not None:
        return _outcome(request, sample, "skipped", reason=request.skipped)
    completion = completions.get(request.key or "")
    if completion is None:
        return None
    if completion.error is not None:
        return _outcome(request, sample, "failed", reason=completion.error)
    return judge(request, sample, protocol, completion)


def judge(request: RequestRecord, sample: Sample, protocol: PromptProtocol, completion: Completion) -> Score:
    """A task's verdict on an answer, with what happened to its prompt."""
    verdict = protocol.judge(sample, completion)
    if verdict.skipped:
        return _outcome(request, sample, "skipped", reason=verdict.skipped)
    return Score(
        id=request.id,
        cell=request.cell,
        sample_id=sample.id,
        document=sample.document.id,
        status="scored" if verdict.scorable else "unscorable",
        values=verdict.values,
        answer=verdict.answer,
        cut=request.cut is not None and request.cut.is_cut,
        evidence=None if request.cut is None else request.cut.evidence,
        output_capped=completion.finish_reason == "length",
    )


def _outcome(request: RequestRecord, sample: Sample, status: Status, *, reason: str) -> Score:
    return Score(
        id=request.id,
        cell=request.cell,
        sample_id=sample.id,
        document=sample.document.id,
        status=status,
        reason=reason,
        cut=request.cut is not None and request.cut.is_cut,
        evidence=None if request.cut is None else request.cut.evidence,
    )
