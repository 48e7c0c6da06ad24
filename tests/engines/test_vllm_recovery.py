"""Nothing a sample does to the engine may cost another sample its answer. A pretended worker misbehaves on request."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from engine_requests import request
from pretend_vllm import DIE, DIE_ONCE, HANG, MINUS_INFINITY, NAN, NO_TOKEN, RAISE, REFUSE

from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.engines.vllm import VllmEngine
from evalsuite.engines.vllm.options import Settings
from evalsuite.engines.vllm.wire import Start
from evalsuite.errors import UsageError
from evalsuite.records import ModelIdentity
from evalsuite.types import Completion, Request

PRETENDER = Path(__file__).with_name("pretend_vllm.py")


Open = Callable[..., VllmEngine]


class Pretended(Settings):
    @property
    def start(self) -> Start:
        return Start(self.arguments)

    def identity(self, dtype: str) -> ModelIdentity:
        return ModelIdentity("m", "h", options={"dtype": dtype})


@pytest.fixture
def engine() -> Iterator[Open]:
    opened = []

    def open_engine(**arguments: Any) -> VllmEngine:
        chosen = Pretended("m", {}, arguments, {}, 1.0, None)
        command = (sys.executable, str(PRETENDER))
        made = VllmEngine(chosen, CharacterTokenizer(), command=command)
        opened.append(made)
        return made

    yield open_engine
    for made in opened:
        made.close()


def answers(engine: VllmEngine, groups: Sequence[Sequence[Request]]) -> dict[str, Completion]:
    return {completion.key: completion for completion in engine.complete(groups)}


def numbered(count: int, **more: Any) -> list[Request]:
    return [request([5, 6, 10 + n], key=f"r{n}", **more) for n in range(count)]


@pytest.mark.parametrize("poison", [DIE, RAISE, HANG])
def test_one_poisonous_sample_fails_alone_and_all_others_are_answered(engine: Open, poison: int) -> None:
    good = numbered(7)
    bad = request([5, 6, poison], key="bad")
    found = answers(engine(), [[*good[:4], bad, *good[4:]], numbered(1, document="e")])
    assert [key for key, completion in found.items() if completion.error] == ["bad"]
    assert "alone" in found["bad"].error
    assert all(found[f"r{n}"].token_ids == (10 + n,) for n in range(7))


def test_two_poisonous_samples_fail_alone_each(engine: Open) -> None:
    group = [*numbered(4), request([5, DIE], key="one"), request([7, DIE], key="two")]
    found = answers(engine(), [group])
    assert sorted(key for key, completion in found.items() if completion.error) == ["one", "two"]
    assert len(found) == 6


def test_an_engine_killed_from_outside_costs_no_sample(engine: Open) -> None:
    made = engine()
    stream = made.complete([numbered(6), numbered(3, document="e")])
    first = next(stream)
    os.kill(made.worker_pid, signal.SIGKILL)
    found = {first.key: first, **{completion.key: completion for completion in stream}}
    assert len(found) == 6
    assert all(completion.error is None for completion in found.values())
    assert any("started again" in note for note in made.info.notes)


def test_a_death_that_does_not_happen_again_fails_nobody(engine: Open, tmp_path: Path) -> None:
    made = engine()
    made._command = (sys.executable, str(PRETENDER))
    flag = tmp_path / "died"
    wrapper = tmp_path / "once.py"
    wrapper.write_text(
        f"import sys, runpy\nsys.path.insert(0, {str(PRETENDER.parent)!r})\nsys.argv.append({str(flag)!r})\n"
        f"runpy.run_path({str(PRETENDER)!r}, run_name='__main__')\n"
    )
    made.close()
    made._command = (sys.executable, str(wrapper))
    found = answers(made, [[request([DIE_ONCE], key="a"), request([5], key="b")]])
    assert flag.exists()
    assert {key: completion.error for key, completion in found.items()} == {"a": None, "b": None}


def test_a_refused_request_fails_and_the_engine_goes_on(engine: Open) -> None:
    made = engine()
    pid = made.worker_pid
    found = answers(made, [[request([REFUSE], key="bad"), request([9], key="good")]])
    assert found["bad"].error == "vLLM refused the request: planted"
    assert found["good"].error is None
    assert made.worker_pid == pid


@pytest.mark.parametrize(
    ("poison", "options", "why"),
    [
        (NAN, ((1,), (2, 3)), "a log-probability of nan"),
        (MINUS_INFINITY, ((1,),), "a log-probability of -inf"),
        (MINUS_INFINITY, ((1, 2, 3),), "a log-probability of -inf"),
        (NO_TOKEN, (), "a token id that is negative"),
    ],
)
def test_an_answer_that_cannot_be_one_fails_alone_and_the_engine_goes_on(
    engine: Open, poison: int, options: tuple[tuple[int, ...], ...], why: str
) -> None:
    made = engine()
    pid = made.worker_pid
    group = [*numbered(3, options=options), request([5, 6, poison], key="bad", options=options)]
    found = answers(made, [group])
    assert [key for key, completion in found.items() if completion.error] == ["bad"]
    assert found["bad"].error == f"vLLM's answer is unusable: {why}"
    assert (found["bad"].options, found["bad"].token_ids) == ((), ())
    assert made.worker_pid == pid


def test_an_over_long_prompt_is_caught_before_it_is_submitted(engine: Open) -> None:
    fits, long = request(range(60), key="fits"), request(range(61), key="long")
    found = answers(engine(), [[fits, long]])
    assert found["fits"].error is None
    assert found["long"].error == "61 prompt tokens and 4 for the answer are more than the 64 the engine takes"


def test_a_model_that_does_not_load_is_one_clear_line(engine: Open) -> None:
    with pytest.raises(UsageError, match="vLLM cannot load m: ValueError: planted: no such weights"):
        engine(model="broken")


def test_options_are_scored_from_their_first_tokens_and_the_rest(engine: Open) -> None:
    asked = request([5], key="o", options=((1,), (2, 3), (2, 4, 1)))
    (completion,) = answers(engine(), [[asked]]).values()
    assert [(o.logprob, o.tokens, o.greedy) for o in completion.options] == [
        (-1, 1, True),
        (-5, 2, False),
        (-7, 3, False),
    ]


def test_a_cache_too_small_for_all_still_answers_all(engine: Open) -> None:
    found = answers(engine(kv=32), [numbered(9), numbered(2, document="e")])
    assert len(found) == 9
    assert not any(completion.error for completion in found.values())
