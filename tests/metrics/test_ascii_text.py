"""How ZeroSCROLLS' F1 spells characters outside ASCII: as the official scorer's package was seen to spell them."""

from __future__ import annotations

import pytest

from evalsuite.metrics import zero_scrolls
from evalsuite.metrics.ascii_text import ascii_text

SPELLED = {
    "plain (text)": "plain (text)",
    "caf\u00e9 na\u00efve \u201cquoted\u201d \u2014 \u0153uvre": 'cafe naive "quoted" -- oeuvre',
    "acme\u2122": "acme(tm)",
    "5\u00bd": "5 1/2",
    "\u22123 \u2264 x": "-3 <= x",
    "\u20b9 500": "Rs 500",
    "\u2665": "hearts",
    "\u05e9\u05dc": "SHl",
    "\u30c4": "tsu",
    "\U0001d426\u20dd\U0001f600\u2234": "m",
    "\U0001d6fc": "",
}


@pytest.mark.parametrize("text", SPELLED)
def test_characters_of_real_texts_are_spelled_as_officially(text: str) -> None:
    assert ascii_text(text) == SPELLED[text]


def test_the_trade_mark_sign_is_a_word_part_of_its_own_spelling() -> None:
    assert zero_scrolls.f1("Acme\u2122", ["acme (TM)"]) == 0.0  # "acme(tm)" against "acme tm"
    assert zero_scrolls.f1("Acme\u2122", ["Acme\u2122"]) == 100.0
    # punctuation of the text itself is deleted before, that of a spelling stays
    assert zero_scrolls.f1("5\u00bd cups", ["5 \u00bd cups"]) == 100.0
    assert zero_scrolls.f1("x \u2234 y", ["x y"]) == 100.0
