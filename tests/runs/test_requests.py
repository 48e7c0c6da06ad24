"""Requests: checked before anything is asked, and one prefix for all questions of a document where that is wished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from made import TOY, row, toy_data

from evalsuite.cli.options import by_task
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks, select_tasks
from evalsuite.records import Block, RunSpec
from evalsuite.runs.asking.requests import groups
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.planning.per_task import for_task
from evalsuite.runs.planning.plan import Plan
from evalsuite.types import Refused, Request, Skipped

MODEL = ScriptedEngine(lambda _: "x", max_model_len=100_000)
LONG = " ".join(f"w{i}" for i in range(300))


def _plan(data: Path, **wanted: object) -> Plan:
    spec = RunSpec("scripted:x", (Block(("toy",), **wanted),), data=str(data))  # type: ignore[arg-type]
    return make_plan(spec, (select_tasks(["toy"], find_tasks([str(TOY)])),), MODEL)


def _requests(plan: Plan) -> list[Request]:
    return [one for one in _all(plan) if isinstance(one, Request)]


def _all(plan: Plan) -> Iterator[Request | Skipped | Refused]:
    for group in groups(plan, MODEL):
        yield from group


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two long documents, their questions of different lengths; four others for demonstrations."""
    rows = [row(d * 3 + q, d, f"{d} {LONG}", question="Why? " * (5 * q + 1)) for d in range(2) for q in range(3)]
    train = [row(100 + d, 50 + d, f"tale {d} " * (10 * d + 5)) for d in range(4)]
    return toy_data(tmp_path, rows, train)


def _shared(prompts: Sequence[tuple[int, ...]]) -> int:
    columns = zip(*prompts, strict=False)
    return next((at for at, column in enumerate(columns) if len(set(column)) > 1), min(map(len, prompts)))


@pytest.mark.parametrize("strategy", ["left", "document-left", "document-right", "document-middle"])
@pytest.mark.parametrize("shots", [0, 1])
def test_an_aligned_cut_gives_all_questions_of_a_document_one_prefix(data: Path, strategy: str, shots: int) -> None:
    wanted = {"max_prompt_tokens": (700,), "strategy": strategy, "shots": (shots,)}
    aligned = _requests(_plan(data, share_prefix="aligned", **wanted))
    for document in {request.document_hash for request in aligned}:
        mine = [request for request in aligned if request.document_hash == document]
        shortest = min(len(request.prompt) for request in mine)
        assert _shared([request.prompt for request in mine]) >= shortest - len(" Q: Why? , A:")
        assert max(len(request.prompt) for request in mine) <= 700
        assert len({request.cut.removed for request in mine}) == 1
    apart = _requests(_plan(data, **wanted))
    if strategy != "document-right":
        assert _shared([request.prompt for request in apart[:3]]) < shortest - 100


def test_demonstrations_drawn_for_each_sample_are_never_cut_by_anothers_measure(data: Path) -> None:
    wanted = {"max_prompt_tokens": (700,), "shots": (1,), "demo_draw": "sample"}
    apart = _requests(_plan(data, **wanted))
    assert len({request.demonstrations for request in apart}) > 1
    assert [r.prompt for r in _requests(_plan(data, share_prefix="aligned", **wanted))] == [r.prompt for r in apart]


def test_every_prompt_ends_with_its_own_question(data: Path) -> None:
    plan = _plan(data, max_prompt_tokens=(400,), shots=(0, 2))
    questions = {sample.id: sample.question for sample in plan.tasks[0].reading.samples()}
    for request in _requests(plan):
        text = MODEL.tokenizer.decode(request.prompt)
        assert text.startswith("<s>")
        assert text.count("<s>") == 1
        assert text.endswith(f" Q: {questions[request.sample_id]}, A:")


@pytest.mark.parametrize("strategy", ["left", "document-right"])
def test_a_frame_that_can_never_fit_is_refused_before_anything_is_made(data: Path, strategy: str) -> None:
    with pytest.raises(UsageError, match="sample q0: the parts that a") as refused:
        _plan(data, max_prompt_tokens=(10,), strategy=strategy)
    assert "10" in str(refused.value)


@pytest.mark.parametrize(
    ("strategy", "failed", "said"),
    [
        ("left", {"q2", "q5"}, "the parts that a 'left' cut must keep have"),
        ("document-right", {"q2", "q5"}, "the parts that a 'document-right' cut must keep have"),
        ("error", {f"q{number}" for number in range(6)}, "the prompt has"),
    ],
)
def test_what_only_the_text_can_tell_fails_its_own_sample(
    data: Path, strategy: str, failed: set[str], said: str
) -> None:
    found = list(_all(_plan(data, max_prompt_tokens=(60,), strategy=strategy)))
    refused = {one.sample_id: one.reason for one in found if isinstance(one, Refused)}
    assert len(found) == 6
    assert set(refused) == failed
    assert all(said in reason for reason in refused.values())


def test_skip_counts_what_is_too_long_and_empty_text_under_its_own_reason(tmp_path: Path) -> None:
    data = toy_data(tmp_path, [row(0, 0, "short"), row(1, 1, LONG), row(2, 2, "")])
    found = list(_all(_plan(data, max_prompt_tokens=(100,), strategy="skip")))
    assert [getattr(one, "reason", "asked") for one in found] == ["asked", "over-length", "empty text"]


def test_log_likelihoods_keep_room_for_the_longest_option_and_not_for_an_answer(tmp_path: Path) -> None:
    choices = ["a", "the longest of the choices"]
    data = toy_data(tmp_path, [row(0, 0, LONG, choices=choices)])
    model = ScriptedEngine(lambda _: "x", max_model_len=500)
    plan = _plan(data, protocol="options")
    (found,) = next(iter(groups(plan, model)))
    assert isinstance(found, Request)
    assert found.cut.budget == 500 - len(" the longest of the choices")
    assert [model.tokenizer.decode(option) for option in found.options] == [" a", " the longest of the choices"]
    assert found.max_new_tokens == 0


def test_documents_are_asked_one_after_the_other(data: Path) -> None:
    order = [request.document_hash for request in _requests(_plan(data, shots=(0, 1)))]
    changes = sum(one != other for one, other in pairwise(order))
    assert changes == len(set(order)) - 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, None),
        ("5", "5"),
        ("toy=2", "2"),
        ("5,toy=2", "2"),
        ("toy=2,5", "2"),
        ("other=2", None),
        ("other=2,5", "5"),
    ],
)
def test_an_option_may_speak_of_one_task_alone(asked: str | None, said: str | None) -> None:
    assert for_task(by_task("--split", asked), "toy") == said
