"""A benchmark's own cut where the model's maximum binds, not the cap: its limit, its room, and what it lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import TOY, row, toy_data

from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import UsageError
from evalsuite.interfaces import OfficialCut, OfficialCutInput
from evalsuite.plugins import find_tasks
from evalsuite.records import Block, RunSpec
from evalsuite.runs.asking.requests import groups
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.types import Refused, Removal, Request, Role, Span

TEXT = "x" * 300
ANSWER = 40
Rule = Callable[[OfficialCutInput], OfficialCut]


def _keep_first(kept: int, **change: Any) -> tuple[Rule, list[OfficialCutInput]]:
    """A rule that keeps the first characters of the document alone, and what it is given."""
    given: list[OfficialCutInput] = []

    def rule(asked: OfficialCutInput) -> OfficialCut:
        given.append(asked)
        lost = len(TEXT) - kept
        removed = (Removal(Role.DOCUMENT, lost, lost),) if lost else ()
        ids = asked.tokenizer.encode_literal(TEXT[:kept]).ids
        made = OfficialCut(ids, len(TEXT), removed, "right", (Span(0, kept),), note="as published")
        return replace(made, **change)

    return rule, given


def _asked(
    data: Path,
    rule: Rule,
    *,
    model: int,
    cap: int | None = None,
    evidence: list[list[int]] | None = None,
    whole: bool = False,
) -> Request:
    """The one request of a run with that rule; ``whole``: the cap is of prompt and answer."""
    toy_data(data, [row(0, 0, TEXT, evidence=evidence)])
    task = find_tasks([str(TOY)])["toy"]
    protocol = replace(
        task.protocols[0], cut=rule, strategy="official", max_new_tokens=ANSWER, limit_includes_generation=whole
    )
    spec = RunSpec("scripted:x", (Block(("toy",), max_prompt_tokens=(cap,)),), data=str(data))
    engine = ScriptedEngine(lambda _: "x", max_model_len=model)
    plan = make_plan(spec, ([replace(task, protocols=(protocol,))],), engine)
    ((request,),) = groups(plan, engine)
    if isinstance(request, Refused):
        raise UsageError(request.reason)
    assert isinstance(request, Request)
    return request


@pytest.mark.parametrize(
    ("model", "cap", "whole", "limit", "budget", "bound"),
    [
        (200, None, False, 160, 160, "model"),
        (200, None, True, 200, 160, "model"),
        (200, 190, False, 160, 160, "model"),
        (200, 190, True, 190, 150, "cap"),
        (200, 120, False, 120, 120, "cap"),
        (200, 120, True, 120, 80, "cap"),
    ],
)
def test_the_rule_gets_the_smaller_limit_and_the_record_says_which(
    tmp_path: Path,
    model: int,
    cap: int | None,
    whole: bool,  # noqa: FBT001
    limit: int,
    budget: int,
    bound: str,
) -> None:
    rule, given = _keep_first(50)
    request = _asked(tmp_path, rule, model=model, cap=cap, whole=whole)
    assert {asked.limit for asked in given} == {limit}
    assert {asked.max_new_tokens for asked in given} == {ANSWER}
    assert (request.cut.budget, request.cut.bound) == (budget, bound)


def test_what_the_rule_did_is_recorded_whole(tmp_path: Path) -> None:
    cut = _asked(tmp_path, _keep_first(50)[0], model=200).cut
    assert (cut.tokens_before, cut.tokens_kept, cut.side, cut.official) == (300, 50, "right", True)
    assert cut.removed == (Removal(Role.DOCUMENT, 250, 250),)
    assert (cut.strategy, cut.note) == ("official", "as published")


@pytest.mark.parametrize(
    ("evidence", "fate"),
    [([[0, 50]], "all"), ([[40, 60]], "some"), ([[0, 10], [60, 70]], "some"), ([[50, 60]], "none"), (None, None)],
)
def test_the_fate_of_the_evidence_follows_what_the_rule_kept(
    tmp_path: Path, evidence: list[list[int]] | None, fate: str | None
) -> None:
    assert _asked(tmp_path, _keep_first(50)[0], model=200, evidence=evidence).cut.evidence == fate


def test_nothing_is_lost_where_the_rule_cuts_nothing(tmp_path: Path) -> None:
    cut = _asked(tmp_path, _keep_first(300)[0], model=400, evidence=[[200, 300]]).cut
    assert (cut.side, cut.evidence, cut.is_cut, cut.tokens_before) == (None, "all", False, 300)


@pytest.mark.parametrize(("kept", "model"), [(161, 200), (51, 90)])
def test_a_result_that_leaves_the_model_no_room_for_the_answer_is_refused(
    tmp_path: Path, kept: int, model: int
) -> None:
    with pytest.raises(UsageError, match=f"has {kept} tokens, but the limit is {model - ANSWER} "):
        _asked(tmp_path, _keep_first(kept)[0], model=model)
    assert len(_asked(tmp_path, _keep_first(model - ANSWER)[0], model=model).prompt) == model - ANSWER


def test_a_rule_that_says_its_result_is_over_its_own_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 50 tokens, but the limit is 160 "):
        _asked(tmp_path, _keep_first(50, over_limit=True)[0], model=200)


@pytest.mark.parametrize(
    ("allowed", "budget", "bound"), [(100, 100, "model"), (160, 160, "model"), (500, 160, "model")]
)
def test_a_rule_with_a_prompt_limit_of_its_own_never_gets_more_than_the_model_has(
    tmp_path: Path, allowed: int, budget: int, bound: str
) -> None:
    cut = _asked(tmp_path, _keep_first(50, prompt_limit=allowed)[0], model=200).cut
    assert (cut.budget, cut.bound) == (budget, bound)
