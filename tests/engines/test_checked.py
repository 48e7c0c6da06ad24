"""What cannot be an answer is a failed request, whichever engine gave it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from engine_requests import request

from evalsuite.engines.checked import checked
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.types import Completion, OptionScore, Request
from evalsuite.work import Loss


class Saying(ScriptedEngine):
    """Gives the same completion to every request."""

    def __init__(self, said: Completion) -> None:
        super().__init__({})
        self._said = said

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        for group in groups:
            for asked in group:
                yield replace(self._said, key=asked.key)


def heard(said: Completion, asked: Request) -> Completion:
    (found,) = checked(Saying(said), [[asked]])
    return found


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Completion("", text="Par\ud83d"), "surrogate"),
        (Completion("", text=None), "NoneType"),  # type: ignore[arg-type]
        (Completion("", token_ids=(5, -1)), "negative"),
        (Completion("", token_ids=(2**31,)), "above"),
        (Completion("", token_ids=(10**400,)), "above"),
        (Completion("", token_ids=(1.0,)), "float"),  # type: ignore[arg-type]
        (Completion("", token_ids=(True,)), "bool"),
        (Completion("", finish_reason="\ud800"), "ended"),  # type: ignore[arg-type]
        (Completion("", prompt_tokens=-1), "count"),
        (Completion("", cached_tokens=10**30), "count"),
        (Completion("", options=(OptionScore(-1.0, 1, greedy=True),)), "1 log-likelihoods for 0 options"),
    ],
)
def test_a_generation_that_cannot_be_one_is_a_failure_that_says_why(said: Completion, why: str) -> None:
    found = heard(said, request([1, 40], key="r"))
    assert (found.key, found.text, found.token_ids) == ("r", "", ())
    assert why in (found.error or "")
    (found.error or "").encode()


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ([(math.nan, 1), (-1.0, 2)], "option 1 is nan"),
        ([(-1.0, 1), (-math.inf, 2)], "option 2 is -inf"),
        ([(math.inf, 1), (-1.0, 2)], "option 1 is inf"),
        ([(0.5, 1), (-1.0, 2)], "above 0"),
        ([(-1.0, 1)], "1 log-likelihoods for 2 options"),
        ([(-1.0, 1), (-1.0, 1)], "2 tokens, 1 were scored"),
    ],
)
def test_a_log_likelihood_that_cannot_be_one_is_a_failure(scores: list[tuple[float, int]], why: str) -> None:
    options = tuple(OptionScore(value, tokens, greedy=False) for value, tokens in scores)
    found = heard(Completion("", options=options), request([1, 40], key="r", options=((5,), (6, 7))))
    assert why in (found.error or "")
    assert found.options == ()


@pytest.mark.parametrize(
    "said",
    [
        Completion("", text="Paris \U0001f600", token_ids=(0, 2**31 - 1), finish_reason="eos", prompt_tokens=0),
        Completion("", error="no answer"),
    ],
)
def test_an_answer_and_a_failure_pass_as_they_are(said: Completion) -> None:
    assert heard(said, request([1, 40], key="r")) == replace(said, key="r")


def test_log_likelihoods_of_options_pass_as_they_are() -> None:
    options = (OptionScore(-2.5, 1, greedy=True), OptionScore(1e-7, 0, greedy=True))
    found = heard(Completion("", options=options), request([1, 40], key="r", options=((5,), ())))
    assert (found.options, found.error) == (options, None)


@pytest.mark.parametrize(
    ("losses", "why"),
    [
        ((0.5,), "1 losses where 2"),
        ((), "0 losses"),
        ((0.5, math.nan), "nan"),
        ((0.5, math.inf), "inf"),
        ((0.5, -2.0), "-2"),
    ],
)
def test_a_loss_that_cannot_be_one_is_a_failure(losses: tuple[float, ...], why: str) -> None:
    asked = replace(request([1, 40, 41], key="r"), work=Loss())
    assert why in (heard(Completion("", losses=losses), asked).error or "")
    assert heard(Completion("", losses=(0.5, 0.0)), asked).error is None


def test_the_reason_of_a_failure_can_be_written_to_a_file() -> None:
    found: Any = heard(Completion("", error="said \udc80"), request([1, 40], key="r"))
    assert found.error == "said \\udc80"


def test_groups_are_pulled_as_the_engine_pulls_them() -> None:
    pulled: list[int] = []

    def groups() -> Iterator[Sequence[Request]]:
        for number in range(3):
            pulled.append(number)
            yield [request([1, 40], key=f"r{number}")]

    answers = checked(ScriptedEngine({}), groups())
    next(answers)
    assert pulled == [0]
