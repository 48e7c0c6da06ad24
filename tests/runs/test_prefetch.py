"""Made early, in order, and an error arrives where its item would have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from evalsuite.runs.prefetch import prefetch


def _failing(error: BaseException) -> Iterator[int]:
    yield 1
    yield 2
    raise error


def test_the_items_come_in_order() -> None:
    assert list(prefetch(range(100), 3)) == list(range(100))


@pytest.mark.parametrize("error", [ValueError("torn"), SystemExit(0), GeneratorExit(), StopAsyncIteration()])
def test_an_error_arrives_behind_the_items_before_it(error: BaseException) -> None:
    items = prefetch(_failing(error), 3)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(type(error)) as raised:
        next(items)
    assert raised.value is error


def test_closing_it_stops_the_thread_though_items_are_left() -> None:
    endless = iter(lambda: 0, 1)
    with closing(prefetch(endless, 2)) as items:
        assert next(items) == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "evalsuite-prefetch"]
