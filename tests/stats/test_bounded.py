"""Wilson's interval over documents: textbook values, and what holds for every value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.stats.bounded import Z95, wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, Table I, method 3
    [(81, 263, 25.53, 36.62), (15, 148, 6.24, 16.05), (0, 20, 0.0, 16.11), (1, 29, 0.61, 17.18)],
)
def test_it_agrees_with_published_values(right: int, of: int, low: float, high: float) -> None:
    assert wilson(100 * right / of, of) == (pytest.approx(low, abs=0.006), pytest.approx(high, abs=0.006))


def test_all_right_leaves_room_below_that_shrinks_with_the_documents() -> None:
    assert wilson(100.0, 3) == (pytest.approx(300 / (3 + Z95**2)), 100.0)
    lows = [wilson(100.0, documents)[0] for documents in (1, 2, 3, 12, 1000)]
    assert lows == sorted(lows)
    assert lows[-1] < 100


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(0, 100), st.integers(1, 10_000))
def test_it_holds_the_value_inside_the_scale_and_is_symmetric(value: float, documents: int) -> None:
    low, high = wilson(value, documents)
    assert 0 <= low <= value <= high <= 100
    mirrored = wilson(100 - value, documents)
    assert mirrored == (pytest.approx(100 - high, abs=1e-6), pytest.approx(100 - low, abs=1e-6))
    assert high - low > 0
