"""Which expressions are proven to keep a letter and a space apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_zoo import BEHIND, DEEPSEEK, LLAMA3, O200K, QWEN2

from evalsuite.tokenizers.borders import GPT2, WORDS, _matches
from evalsuite.tokenizers.patterns import NotUnderstoodError, read


def _proof(pattern: str) -> tuple[bool, bool]:
    expression = read(pattern)
    return expression.never_crosses("abc", " ", _matches), expression.always_matches(" ", _matches)


@pytest.mark.parametrize("pattern", [GPT2, WORDS, LLAMA3, QWEN2, O200K, DEEPSEEK[2], r"\s|\S", r"\S+|(?: |x)+"])
def test_the_expressions_of_models_divide_before_every_space(pattern: str) -> None:
    assert _proof(pattern) == (True, True)


@pytest.mark.parametrize("pattern", [r"\p{N}{1,3}", "[一-龥]+", r"\w+", r"\s{2,}", r"\s(?=x)", r" ?+\s", r"\s?+ "])
def test_others_keep_them_apart_without_always_dividing(pattern: str) -> None:
    assert _proof(pattern) == (True, False)


@pytest.mark.parametrize(
    "pattern",
    [
        "a b",
        r"\w \w",
        r"[a-z ]+",
        r".+",
        r"(?:a| )+",
        r"\w+\s*",
        r"\w(?:x|y)? ",
        r"\w+(?!\s)|\s",
        r"\w+(?=\s+x)",
        "(?i:A) ",
    ],
)
def test_an_expression_that_goes_on_past_a_space_is_no_proof(pattern: str) -> None:
    assert not _proof(pattern)[0]


@pytest.mark.parametrize(
    "pattern",
    [
        BEHIND,
        r"\bword",
        r"^\s+",
        r"\s+$",
        r"(a)\1",
        r"\s*",
        r"a?|b",
        r"(?>a)",
        r"(?i)a",
        r"\Ga",
        "(a",
        "a)",
        "[a",
        r"\R",
    ],
)
def test_what_is_not_understood_is_no_proof(pattern: str) -> None:
    with pytest.raises(NotUnderstoodError):
        read(pattern)


ATOMS = ("a", "b", " ", r"\s", r"\w", "[ab]", "[^a]", "[^ ]", "[a ]")
PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(("*", "+", "?", "{1,2}", "{2}"))).map(lambda two: f"(?:{two[0]}){two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]}(?!{two[1]})"),
    ),
    max_leaves=5,
)


@settings(max_examples=600, deadline=None)
@given(pattern=PATTERNS, before=st.text("ab ", max_size=5), after=st.text("ab ", max_size=5))
def test_what_is_proven_holds_for_every_text(pattern: str, before: str, after: str) -> None:
    try:
        expression = read(pattern)
    except NotUnderstoodError:
        return
    if not expression.never_crosses("ab", " ", _matches):
        return
    left, right = before + "a", " " + after
    place = len(left)
    matches = [found.span() for found in re.finditer(pattern, left + right)]
    assert not any(start < place < end for start, end in matches)
    assert [span for span in matches if span[1] <= place] == [found.span() for found in re.finditer(pattern, left)]
    alone = [(start + place, end + place) for start, end in (found.span() for found in re.finditer(pattern, right))]
    assert [span for span in matches if span[0] >= place] == alone
    if expression.always_matches(" ", _matches):
        assert any(start == place for start, _ in matches)
