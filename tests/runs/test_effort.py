"""The time left is told by tokens: right from the first answer on, not from the first document's end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from made import TOY, row, toy_data

from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.plugins import find_tasks
from evalsuite.records import Block, RunSpec
from evalsuite.runs.asking.effort import shared
from evalsuite.runs.execute import Progress, execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.planning.plan import Plan
from evalsuite.types import Completion, Request

QUESTIONS = 20


class Timed:
    """Answers as slowly as a model that computes each prompt's new tokens once: time is tokens."""

    def __init__(self, *, reuse: bool) -> None:
        self._inner = ScriptedEngine(lambda _: "yes")
        self.info, self.tokenizer = self._inner.info, self._inner.tokenizer
        self.reuse, self.now = reuse, 0.0

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        before: tuple[int, ...] = ()
        for group in groups:
            for request in group:
                (answer,) = self._inner.complete([[request]])
                self.now += len(request.prompt) - (shared(before, request.prompt) if self.reuse else 0) + 30
                before = request.prompt
                yield answer

    def close(self) -> None:
        return


def _plan(root: Path, sizes: Sequence[int], **fields: object) -> Plan:
    rows = [
        row(
            d * QUESTIONS + q,
            d,
            " ".join(f"w{i}" for i in range(d, d + size)),
            question=f"What {q:02}" + " now" * (q % 6),
        )
        for d, size in enumerate(sizes)
        for q in range(QUESTIONS)
    ]
    data = toy_data(root / "data", rows)
    spec = RunSpec("scripted:echo", (Block(("toy",), **fields),), data=str(data))  # type: ignore[arg-type]
    return make_plan(spec, ([find_tasks([str(TOY)])["toy"]],), ScriptedEngine(lambda _: "x", max_model_len=100_000))


def _estimates(plan: Plan, engine: Timed, out: Path) -> list[float]:
    """What each report told of the whole, in units of what it then took."""
    told: list[tuple[float, float]] = []

    def report(now: Progress) -> None:
        told.append((engine.now, now.share))

    execute(plan, engine, out, report)
    return [time / share / engine.now for time, share in told if share]


@pytest.mark.parametrize("sizes", [(2000,) * 12, (200, 4000, 1000, 8000, 300, 6000), (8000, 100, 100, 100, 100, 100)])
@pytest.mark.parametrize("cap", [None, 1500])
def test_the_first_estimate_is_within_a_factor_of_two(tmp_path: Path, sizes: Sequence[int], cap: int | None) -> None:
    estimates = _estimates(_plan(tmp_path, sizes, max_prompt_tokens=(cap,)), Timed(reuse=True), tmp_path / "out")
    assert len(estimates) == len(sizes) * QUESTIONS
    assert min(estimates) > 0.5, estimates[:3]
    assert max(estimates) < 2, estimates[:3]
    assert estimates[-1] == pytest.approx(1)


def test_samples_would_have_told_many_times_too_much(tmp_path: Path) -> None:
    engine = Timed(reuse=True)
    plan = _plan(tmp_path, (2000,) * 12)
    told: list[tuple[float, Progress]] = []
    execute(plan, engine, tmp_path / "out", lambda now: told.append((engine.now, now)))
    time, first = told[0]
    assert time * first.asked / first.done / engine.now > 10, "else this test shows nothing"


def test_what_a_former_process_answered_is_in_neither_part(tmp_path: Path) -> None:
    plan, out = _plan(tmp_path, (1000,) * 6), tmp_path / "out"
    execute(plan, Timed(reuse=True), out, lambda _: None)
    journal = out / "completions.jsonl"
    kept = journal.read_bytes().splitlines(keepends=True)[: QUESTIONS * 4]
    journal.write_bytes(b"".join(kept))
    estimates = _estimates(plan, Timed(reuse=True), out)
    assert len(estimates) == QUESTIONS * 2
    assert 0.5 < min(estimates) <= max(estimates) < 2


def test_the_usage_counts_this_process_alone(tmp_path: Path) -> None:
    plan, out = _plan(tmp_path, (50, 60)), tmp_path / "out"
    engine = Timed(reuse=True)
    asked = execute(plan, engine, out, lambda _: None).usage
    assert asked.prompt > 2 * QUESTIONS * 50
    assert asked.answer == 2 * QUESTIONS * len("yes")
    again = execute(plan, engine, out, lambda _: None).usage
    assert (again.prompt, again.answer) == (0, 0)


@pytest.mark.parametrize(("one", "other", "alike"), [((), (1,), 0), ((1, 2, 3), (1, 2, 4), 2), ((1, 2), (1, 2, 3), 2)])
def test_a_shared_beginning_is_counted(one: tuple[int, ...], other: tuple[int, ...], alike: int) -> None:
    assert shared(one, other) == shared(other, one) == alike
