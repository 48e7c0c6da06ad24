"""The outcome of one request: who said so, why, and what had happened to its prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made import sample

from evalsuite.errors import TaskError
from evalsuite.qa import paper_protocol
from evalsuite.records import RequestRecord
from evalsuite.scoring.score import score_sample
from evalsuite.task import PromptProtocol
from evalsuite.types import Completion, Cut, Removal, Role, Sample, Score, ScoredAnswer

SAMPLE = sample("The king slept.", name="s1", document="tale")
CUT = Cut("left", "left", 80, "cap", 100, 75, removed=(Removal(Role.DEMONSTRATION, 25, 90),), evidence="some")
REQUEST = RequestRecord(
    id="cell/s1",
    cell="cell",
    sample_id="s1",
    document_hash=SAMPLE.document.hash,
    key="k",
    prompt_hash="p",
    decoding=None,
    cut=CUT,
    demonstrations=("d1",),
)
KNOWN = {"id": "cell/s1", "cell": "cell", "sample_id": "s1", "document_id": "tale"}
TAKEN = {"cut": True, "evidence": "some", "kept": 0.75, "demonstrations_lost": True}
ANSWER = Completion("k", " nobody ", finish_reason="eos")


def _protocol(scored: ScoredAnswer | Exception) -> PromptProtocol:
    def score(asked: Sample, completion: Completion) -> ScoredAnswer:
        assert asked is SAMPLE
        assert completion.key == "k"
        if isinstance(scored, Exception):
            raise scored
        return scored

    return paper_protocol(score=score, max_new_tokens=5)


SCORED = _protocol(ScoredAnswer({"f1": 100.0}, "nobody"))


def _score(request: RequestRecord = REQUEST, protocol: PromptProtocol = SCORED, answer: Completion = ANSWER) -> Score:
    found = score_sample(request, SAMPLE, protocol, {"k": answer})
    assert found is not None
    return found


def test_an_answer_is_scored_with_what_the_cut_took_from_its_prompt() -> None:
    said = {"values": {"f1": 100.0}, "answer": "nobody", "output_capped": False}
    assert _score() == Score(**KNOWN, **TAKEN, **said, status="scored")


def test_an_answer_without_a_readable_part_is_unscorable_with_its_official_value() -> None:
    protocol = _protocol(ScoredAnswer({"f1": 0.0}, "", scorable=False))
    said = {"values": {"f1": 0.0}, "output_capped": False}
    assert _score(protocol=protocol) == Score(**KNOWN, **TAKEN, **said, status="unscorable")


def test_what_the_task_has_no_label_for_is_skipped_with_its_reason() -> None:
    protocol = _protocol(ScoredAnswer({"f1": 3.0}, "x", skipped="no label"))
    assert _score(protocol=protocol) == Score(**KNOWN, **TAKEN, status="skipped", reason="no label")


def test_a_task_that_cannot_score_costs_that_sample_and_says_so() -> None:
    protocol = _protocol(TaskError("task toy: score raised ValueError"))
    reason = "not scored: task toy: score raised ValueError"
    assert _score(protocol=protocol) == Score(**KNOWN, **TAKEN, status="failed", reason=reason)


def test_an_engines_error_is_a_failure_with_its_words() -> None:
    answer = Completion("k", error="out of memory")
    assert _score(answer=answer) == Score(**KNOWN, **TAKEN, status="failed", reason="out of memory")


def test_a_sample_that_was_not_asked_is_skipped_and_has_no_cut() -> None:
    request = replace(REQUEST, key=None, cut=None, skipped="over-length")
    assert _score(request) == Score(**KNOWN, status="skipped", reason="over-length")


def test_a_sample_whose_prompt_could_not_be_made_failed_and_says_why() -> None:
    request = replace(REQUEST, key=None, cut=None, refused="sample s1: too long")
    assert _score(request) == Score(**KNOWN, status="failed", reason="sample s1: too long")


def test_a_request_without_an_answer_has_no_outcome_yet() -> None:
    assert score_sample(REQUEST, SAMPLE, SCORED, {}) is None
    assert score_sample(replace(REQUEST, key=None), SAMPLE, SCORED, {"k": ANSWER, "XXXX": ANSWER}) is None


@pytest.mark.parametrize(("reason", "capped"), [("length", True), ("stop", False), ("eos", False), (None, None)])
def test_an_answer_is_capped_where_it_ended_at_the_limit(reason: str | None, capped: bool | None) -> None:  # noqa: FBT001
    assert _score(answer=replace(ANSWER, finish_reason=reason)).output_capped is capped


@pytest.mark.parametrize(
    ("cut", "shown", "expected"),
    [
        (replace(CUT, removed=()), ("d1",), (False, 0.75, False)),
        (replace(CUT, removed=(Removal(Role.DOCUMENT, 1, 2),)), ("d1",), (True, 0.75, False)),
        (replace(CUT, removed=(Removal(Role.DOCUMENT, 1, 2), *CUT.removed)), ("d1",), (True, 0.75, True)),
        (CUT, (), (True, 0.75, None)),
        (replace(CUT, tokens_kept=101), ("d1",), (True, 1.0, True)),
        (replace(CUT, tokens_before=1, tokens_kept=0), ("d1",), (True, 0.0, True)),
        (replace(CUT, tokens_before=0, tokens_kept=0), ("d1",), (True, 1.0, True)),
        (None, ("d1",), (False, None, None)),
    ],
)
def test_a_score_says_how_much_of_the_prompt_was_sent(
    cut: Cut | None, shown: tuple[str, ...], expected: tuple[bool, float | None, bool | None]
) -> None:
    found = _score(replace(REQUEST, cut=cut, demonstrations=shown))
    assert (found.cut, found.kept, found.demonstrations_lost) == expected
    assert found.evidence == (None if cut is None else "some")
