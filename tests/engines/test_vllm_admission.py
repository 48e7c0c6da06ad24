"""Never more in the engine than its cache holds, one document's requests together, and every request once."""

from __future__ import annotations

import random

import pytest
from engine_requests import request

from evalsuite.engines.vllm.admission import Admission, common_prefix
from evalsuite.types import Request

BLOCK = 16


def group(document: str, count: int, length: int = 64, tail: int = 8) -> list[Request]:
    seed = sum(map(ord, document))
    return [
        request([*range(seed, seed + length), *([1000 + n] * tail)], key=f"{document}{n}", document=document)
        for n in range(count)
    ]


def held(flight: list[Request]) -> int:
    """Tokens in the cache: each document once, and what every request adds."""
    documents = {one.document_hash for one in flight}
    return 64 * len(documents) + sum(len(one.prompt) - 64 + one.max_new_tokens for one in flight)


def test_a_document_is_counted_once_and_the_capacity_is_kept() -> None:
    admission = Admission([group("a", 4), group("b", 4)], 64 + 4 * BLOCK, BLOCK)
    assert [one.key for one in admission.admit()] == ["a0", "a1", "a2", "a3"]
    assert list(admission.admit()) == []
    admission.done("a1")
    assert list(admission.admit()) == [], "the next document does not fit beside the first"
    for key in ("a0", "a2", "a3"):
        admission.done(key)
    assert [one.document_hash for one in admission.admit()] == ["b"] * 4


def test_one_request_larger_than_the_cache_is_still_asked() -> None:
    admission = Admission([group("a", 2)], 1, BLOCK)
    assert [one.key for one in admission.admit()] == ["a0"]
    admission.done("a0")
    assert [one.key for one in admission.admit()] == ["a1"]


@pytest.mark.parametrize("seed", range(5))
def test_all_are_admitted_once_whatever_ends_first(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's shuffle
    groups = [group(name, chance.randrange(1, 9)) for name in "abcdef"]
    capacity = chance.choice([160, 320, 640])
    admission = Admission(groups, capacity, BLOCK)
    flight: list[Request] = []
    order: list[str] = []
    while True:
        for one in admission.admit():
            flight.append(one)
            order.append(one.key)
        assert len(flight) == 1 or held(flight) <= capacity
        if not flight:
            break
        admission.done(flight.pop(chance.randrange(len(flight))).key)
    assert order == [one.key for requests in groups for one in requests]


def test_what_was_in_flight_can_be_taken_back() -> None:
    admission = Admission([group("a", 3)], 64 + 2 * BLOCK, BLOCK)
    assert len(list(admission.admit())) == 2
    assert [one.key for one in admission.take_flight()] == ["a0", "a1"]
    assert admission.flight == {}
    assert [one.key for one in admission.admit()] == ["a2"]


def admitted(requests: list[Request], capacity: int) -> int:
    return len(list(Admission([requests], capacity, BLOCK).admit()))


def distinct(count: int, prompt: int, **more: object) -> list[Request]:
    """Requests that share no token, each with as many of its own."""
    return [request(range(1000 * n, 1000 * n + prompt), key=f"r{n:02}", **more) for n in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prompt", "most", "blocks"), [(15, 1, 1), (16, 1, 2), (16, 16, 2), (16, 17, 3), (100, 60, 10), (1, 0, 1)]
)
def test_a_generation_needs_whole_blocks_for_its_prompt_and_all_it_may_write(
    prompt: int, most: int, blocks: int
) -> None:
    requests = distinct(4, prompt, max_new_tokens=most)
    assert admitted(requests, 3 * blocks * BLOCK) == 3
    assert admitted(requests, 3 * blocks * BLOCK - 1) == 2


@pytest.mark.parametrize(
    ("options", "blocks"),
    [
        (((1,),), 2),
        (((1,), (2,)), 2 + 1),
        (((1, 2, 3), (4,)), 2 + 1),
        (((1,), (2,), (3,), (4,)), 2 + 3),
        (((*range(16),), (1,)), 4 + 1),
        (((*range(16),), (1,), (2,)), 5 + 2),
    ],
)
def test_options_need_room_each_and_a_block_each_behind_the_first(
    options: tuple[tuple[int, ...], ...], blocks: int
) -> None:
    requests = distinct(4, 20, options=options)
    assert admitted(requests, 3 * blocks * BLOCK) == 3
    assert admitted(requests, 3 * blocks * BLOCK - 1) == 2


def test_what_prompts_share_is_counted_once_in_whole_blocks_and_the_rest_with_each() -> None:
    requests = [request([*range(40), 1000 + n], key=f"r{n}", max_new_tokens=4) for n in range(4)]
    # 32 of the 40 shared tokens fill blocks; 8 more, one of its own and four to come make a block for each.
    assert admitted(requests, (2 + 3) * BLOCK) == 3
    assert admitted(requests, (2 + 3) * BLOCK - 1) == 2


def test_a_document_is_in_the_cache_beside_the_one_that_still_runs() -> None:
    admission = Admission([group("a", 1), group("b", 1)], 2 * (64 + BLOCK) - 1, BLOCK)
    assert [one.key for one in admission.admit()] == ["a0"]


def test_groups_are_pulled_only_when_there_is_room() -> None:
    pulled: list[str] = []

    def groups() -> object:
        for name in "abc":
            pulled.append(name)
            yield group(name, 1)

    admission = Admission(groups(), 100, BLOCK)  # type: ignore[arg-type]
    list(admission.admit())
    assert pulled == ["a", "b"]


def test_the_common_beginning_of_prompts() -> None:
    assert common_prefix((1, 2, 3), (1, 2, 4)) == 2
    assert common_prefix((1, 2), (1, 2, 4)) == 2
    assert common_prefix((), (1,)) == 0
