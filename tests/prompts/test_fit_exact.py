# ruff: noqa: RUF001 - letters of other scripts are meant
"""Fitting reads only what lies near a joint; its ids and records are those of encoding everything whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fitting import CUTTING
from hypothesis import given, settings
from hypothesis import strategies as st
from made import parts, sample
from reference_fit import reference
from tokenizer_zoo import NAMES, PROVEN, zoo

from evalsuite.errors import UsageError
from evalsuite.prompts.chat import plain_frame
from evalsuite.prompts.fit import Budget, fit
from evalsuite.tokenizers import joined
from evalsuite.types import Part, Span

PIECES = (
    *(
        "the king asked ",
        "nobody",
        " and her miller's",
        "don't",
        "  ",
        "\n",
        " \n  \n",
        "1234",
        " x",
        ". ",
        "é",
        "e\u0301",
    ),
    *("国王问磨坊主，", "🙂", "</s>", "<think>", "Король молчал ", "they'RE"),
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=50).map("".join)


@pytest.fixture(autouse=True, scope="module")
def _short_texts_are_kept() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joined, "SHORT", 16)
        yield


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strategy", CUTTING)
@settings(max_examples=25, deadline=None)
@given(document=TEXT, demonstration=TEXT, instruction=TEXT, share=st.floats(0, 1), wished=st.none() | st.floats(0, 1))
def test_a_fitted_prompt_is_the_one_that_encoding_everything_whole_gives(
    name: str, strategy: str, document: str, demonstration: str, instruction: str, share: float, wished: float | None
) -> None:
    tokenizer = zoo(name)
    whole = parts(document, demonstration=demonstration, instruction=instruction)
    frame = plain_frame(tokenizer)
    total = len(tokenizer.encode_literal("".join(part.text for part in whole)).ids)
    room = max(1, round(share * total))
    at = len(instruction) + len(demonstration)
    aligned = None if wished is None or not document else Span(at, at + max(1, round(wished * len(document))))
    ids, before, removed, lost = reference(whole, room, strategy, tokenizer, aligned)
    budget = Budget(room + frame.tokens, "cap")
    try:
        found = fit(whole, frame, budget, strategy, tokenizer, sample(document), aligned=aligned)
    except UsageError:
        assert len(ids) > room
        return
    assert found is not None
    assert found.ids == (*frame.head, *ids)
    assert found.removed == removed
    assert found.cut.removed == lost
    assert found.cut.tokens_before == before + frame.tokens


@pytest.mark.parametrize("name", PROVEN)
@pytest.mark.parametrize("strategy", CUTTING)
def test_cuts_of_a_text_that_was_read_read_little_more(name: str, strategy: str) -> None:
    tokenizer = zoo(name)
    text = "The miller's daughter walked to the river, and nobody asked her why she went. " * 200
    shown = "A king asked about the weather every day of the year and nobody knew. " * 60
    frame, encoder = plain_frame(tokenizer), tokenizer.joined
    asked = [parts(text, demonstration=shown, instruction="Answer the question.\n\n") for _ in range(20)]
    asked = [
        (*whole[:-2], Part(whole[-2].role, f"Q: What is {number}?"), whole[-1]) for number, whole in enumerate(asked)
    ]
    began = encoder.encoded_characters
    total = len(tokenizer.encode_joined([part.text for part in asked[0]]))
    for whole in asked:
        for share in (0.55, 0.7, 0.9):
            fit(whole, frame, Budget(round(share * total), "cap"), strategy, tokenizer, sample(text))
    near = 60 * 4 * 200
    assert encoder.encoded_characters - began < len(text) + len(shown) + near
