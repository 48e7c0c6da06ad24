"""What was written anew to take linear time finds what the former expression found."""

from __future__ import annotations

import random
import re

import pytest

from evalsuite.metrics import leval_corrected, leval_extraction, zero_scrolls
from evalsuite.safe_text import csv_safe


def _percentage(text: str) -> list[str]:
    found = zero_scrolls._PERCENTAGE.search(text)
    return [found[1]] if found else []


def _marked(text: str) -> list[str]:
    found = leval_corrected._MARKED_OPTION.finditer(text)
    return [one[2] for one in found if leval_corrected._begins_a_part(text, one)]


OLD = {
    "percentage": (r"(\d+\.?\d*)%", _percentage),
    "leval option": (r"\s*([A-Z])(?=[\s.)])", leval_extraction._MARKED_OPTION.findall),
    "marked option": (r"(?m)(?:^|\band\s|[,;]\s)\W*?([A-D])[.):]", _marked),
}
"""Expressions written anew to be linear: the former, quadratic or cubic one, and what now does the same."""


@pytest.mark.parametrize("name", sorted(OLD))
def test_what_was_made_linear_finds_what_the_former_expression_found(name: str) -> None:
    pattern, found = OLD[name]
    former, draw = re.compile(pattern), random.Random(name)  # noqa: S311 - reproducible texts
    pieces = [*"AB \n,.):x1%\u0663", "and ", "and", "or", ", ", "; ", "answer", "12"]
    for _ in range(20_000):
        text = "".join(draw.choices(pieces, k=draw.randint(1, 10)))
        expected = former.findall(text)
        assert found(text) == (expected[:1] if name == "percentage" else expected), text


LISTS = (("a [1] b [2] c", "a   c"), ("a ] b [", "a ] b ["), ("[1\n2]", "[1\n2]"), ("x", "x"), ("[]", " "))


@pytest.mark.parametrize(("text", "left"), LISTS)
def test_a_list_is_taken_out_from_its_first_to_its_last_bracket_on_a_line(text: str, left: str) -> None:
    lines = text.split("\n")
    assert "\n".join(map(leval_corrected._without_lists, lines)) == left


def test_formulas_behind_a_separator_are_quoted_as_before() -> None:
    former = re.compile(r"(?<=[;\t|])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
    draw = random.Random("csv")  # noqa: S311 - reproducible texts
    for _ in range(20_000):
        text = "a" + "".join(draw.choices([*";|\t \n=+-@a\u00a0\uff1d"], k=draw.randint(1, 10)))
        # behind two tabs the former wrote two quotes, where one is enough
        assert csv_safe(text) == former.sub(r"\1'", text).replace("''", "'"), text
