"""Scores one sample. The result is scored, unscorable, skipped or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evalsuite.errors import TaskError
from evalsuite.records import RequestRecord
from evalsuite.task import PromptProtocol
from evalsuite.types import Completion, Cut, Role, Sample, Score, Status

NOT_SCORED = "not scored: "
"""Begins the reason of a sample that the task's code could not score."""


def score_sample(
    request: RequestRecord, sample: Sample, protocol: PromptProtocol, completions: Mapping[str, Completion]
) -> Score | None:
    """The result of one request; None if it has no answer yet."""
    if request.skipped is not None:
        return _outcome(request, sample, "skipped", reason=request.skipped)
    if request.refused is not None:
        return _outcome(request, sample, "failed", reason=request.refused)
    completion = completions.get(request.key or "")
    if completion is None:
        return None
    if completion.error is not None:
        return _outcome(request, sample, "failed", reason=completion.error)
    return score_answer(request, sample, protocol, completion)


def score_answer(request: RequestRecord, sample: Sample, protocol: PromptProtocol, completion: Completion) -> Score:
    """The task's score of an answer, with the facts of its cut. It is failed if the task's code raises an error."""
    try:
        scored = protocol.score(sample, completion)
    except TaskError as error:
        return _outcome(request, sample, "failed", reason=f"{NOT_SCORED}{error}")
    if scored.skipped:
        return _outcome(request, sample, "skipped", reason=scored.skipped)
    return replace(
        _outcome(request, sample, "scored" if scored.scorable else "unscorable"),
        values=scored.values,
        answer=scored.answer,
        output_capped=None if completion.finish_reason is None else completion.finish_reason == "length",
    )


def _outcome(request: RequestRecord, sample: Sample, status: Status, *, reason: str = "") -> Score:
    cut = request.cut
    return Score(
        id=request.id,
        cell=request.cell,
        sample_id=sample.id,
        document_id=sample.document.id,
        status=status,
        reason=reason,
        cut=cut is not None and cut.is_cut,
        evidence=None if cut is None else cut.evidence,
        kept=None if cut is None else _kept(cut),
        demonstrations_lost=_lost_demonstrations(cut) if cut is not None and request.demonstrations else None,
    )


def _kept(cut: Cut) -> float:
    """The share of the prompt's tokens that were sent, at most 1: an official cut can result in more tokens."""
    return min(1.0, cut.tokens_kept / cut.tokens_before) if cut.tokens_before else 1.0


def _lost_demonstrations(cut: Cut) -> bool:
    return any(removal.role is Role.DEMONSTRATION for removal in cut.removed)
