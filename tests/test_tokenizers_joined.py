"""A document read once gives the ids of reading everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.tokenizers import HFTokenizer, load_tokenizer
from evalsuite.tokenizers.joined import family

NAMES = ("bytelevel", "llamalike", "wordpiece")
PIECES = (*"ab  \n\tZ1.,'é▁中😀<s>/", "the ", "don't ", "  ", " \n\n")
TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@pytest.fixture(scope="module")
def tokenizers(golden: Path) -> dict[str, HFTokenizer]:
    return {name: load_tokenizer(str(golden / "tokenizers" / name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_border_is_proven_for_every_family(tokenizers: dict[str, HFTokenizer], name: str) -> None:
    assert tokenizers[name].joined.kind == ("metaspace" if name == "llamalike" else "pre-tokenized")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(end=TEXT, tail=TEXT)
def test_joined_ids_and_offsets_equal_those_of_the_whole_text(
    tokenizers: dict[str, HFTokenizer], name: str, end: str, tail: str
) -> None:
    head = "It was a quiet morning, and nobody in town had seen the baker's don't-care cat. " * 8 + end
    whole = tokenizers[name].encode_literal(head + tail)
    joined = tokenizers[name].encode_joined(head, tail)
    assert joined.ids == whole.ids
    assert joined.offsets == whole.offsets


@pytest.mark.parametrize("name", NAMES)
def test_a_head_is_read_once(tokenizers: dict[str, HFTokenizer], name: str) -> None:
    encoder = tokenizers[name].joined
    head = "The same long document, asked about many times over. " * 200
    before = encoder.encoded_characters
    for number in range(50):
        encoder.encode(head, f" Q: What is {number}?, A:")
    assert encoder.encoded_characters - before < 1.5 * len(head)


def test_a_vocabulary_that_crosses_spaces_is_read_whole() -> None:
    model = {"type": "BPE", "dropout": None, "vocab": {"a\u2581b": 0}}
    steps = [
        {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    ]
    normalizer = {"type": "Sequence", "normalizers": steps}
    assert family({"normalizer": normalizer, "pre_tokenizer": None, "model": model}) is None
    model["vocab"] = {"\u2581b": 0}
    assert family({"normalizer": normalizer, "pre_tokenizer": None, "model": model}) == "metaspace"
