"""Made early, in order, and an error arrives where its item would have."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from evalsuite.runs.asking.prefetch import Prefetch


def _failing(error: BaseException) -> Iterator[int]:
    yield 1
    yield 2
    raise error


def test_the_items_come_in_order() -> None:
    with Prefetch(range(100), 3) as items:
        assert list(items) == list(range(100))


@pytest.mark.parametrize("error", [ValueError("torn"), SystemExit(0), GeneratorExit(), StopAsyncIteration()])
def test_an_error_arrives_behind_the_items_before_it(error: BaseException) -> None:
    with Prefetch(_failing(error), 3) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(type(error)) as raised:
            next(items)
        assert raised.value is error
        assert next(items, None) is None


def test_the_first_items_are_made_before_any_is_asked_for() -> None:
    made = threading.Event()
    with Prefetch(iter(made.set, 1), 1):
        assert made.wait(timeout=60)


def test_closing_it_stops_the_thread_though_items_are_left() -> None:
    endless = iter(lambda: 0, 1)
    with Prefetch(endless, 2) as items:
        assert next(items) == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "evalsuite-prefetch"]
