# ruff: noqa: RUF001 - letters of other scripts are meant
"""A text read once gives the ids of reading everything, however it is put together and cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_zoo import CHINESE_ONLY, NAMES, PROVEN, UNPROVEN, zoo

from evalsuite.tokenizers import HFTokenizer, joined, load_tokenizer
from evalsuite.types import Span

GOLDEN = ("bytelevel", "llamalike", "wordpiece")
CHARACTERS = (
    *"ab  \n\t\rZ1.,'é▁中😀<s>/",
    "\u0301",
    "\u00a0",
    "\u3000",
    "İ",
    "ﬁ",
    "왕",
    "й",
    "，",
    "。",
    "\u200d",
    "ß",
    "３",
)
WORDS = ("the ", "don't ", "  ", " \n\n", " king and her miller", "国王，磨坊主", "</think>", "12 345", "'RE ", "LL x")
TEXT = st.lists(st.sampled_from((*CHARACTERS, *WORDS)), max_size=60).map("".join)


@pytest.fixture(autouse=True, scope="module")
def _short_texts_are_kept() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joined, "SHORT", 8)
        yield


@pytest.fixture(scope="module")
def tokenizers(golden: Path) -> dict[str, HFTokenizer]:
    return {name: load_tokenizer(str(golden / "tokenizers" / name)) for name in GOLDEN}


def _check(tokenizer: HFTokenizer, texts: list[str], cuts: list[tuple[float, float]]) -> None:
    """The joined text, and what is left of it after each cut, against the whole."""
    found, whole = tokenizer.encode_joined(texts), "".join(texts)
    for cut in [None, *cuts]:
        if cut is not None:
            start, end = sorted(round(share * len(whole)) for share in cut)
            found, whole = found.without(Span(start, end)), whole[:start] + whole[end:]
        expected = tokenizer.encode_literal(whole)
        assert found.ids == expected.ids
        assert len(found) == len(expected.ids)
        assert [found.start(index) for index in range(len(found))] == [start for start, _ in expected.offsets]
        starts = [start for start, _ in expected.offsets]
        for place in range(len(whole) + 1):
            assert found.before(place) == sum(start < place for start in starts)


CUTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=3)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80, deadline=None)
@given(texts=st.lists(TEXT, max_size=4), cuts=CUTS)
def test_joined_and_cut_ids_equal_those_of_the_whole_text(
    name: str, texts: list[str], cuts: list[tuple[float, float]]
) -> None:
    _check(zoo(name), texts, cuts)


@pytest.mark.parametrize("name", GOLDEN)
@settings(max_examples=80, deadline=None)
@given(texts=st.lists(TEXT, max_size=4), cuts=CUTS)
def test_joined_and_cut_ids_of_larger_vocabularies_equal_those_of_the_whole_text(
    tokenizers: dict[str, HFTokenizer], name: str, texts: list[str], cuts: list[tuple[float, float]]
) -> None:
    _check(tokenizers[name], texts, cuts)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_place_is_proven_for_every_golden_tokenizer(tokenizers: dict[str, HFTokenizer], name: str) -> None:
    assert tokenizers[name].joined.proven


def test_a_place_is_proven_for_every_family_and_for_nothing_else() -> None:
    found = {name for name in NAMES if zoo(name).joined.proven}
    assert found == {*PROVEN, *CHINESE_ONLY}
    assert not found & {*UNPROVEN}


@pytest.mark.parametrize(
    ("name", "head", "tail"),
    [("llama3", "x\n   ", "\ny"), ("qwen2", "a\n   ", "\nb"), ("o200k", "they don'r", "e here")],
)
def test_a_piece_that_grows_with_what_follows_is_no_place(name: str, head: str, tail: str) -> None:
    head = "The king asked her, and nobody knew why it was so late in the year. " * 10 + head
    assert zoo(name).encode_joined([head, tail]).ids == zoo(name).encode_literal(head + tail).ids


@pytest.mark.parametrize("name", ["gpt2", "llama3", "qwen2", "o200k", "deepseek", "bert"])
def test_chinese_text_is_read_once_as_well(name: str) -> None:
    encoder, text = zoo(name).joined, "国王问磨坊主，他为什么沉默。磨坊主没有回答、也没有走开。" * 200
    before = encoder.encoded_characters
    for number in range(20):
        zoo(name).encode_joined([text, f"问题{number}：谁？"])
    assert encoder.encoded_characters - before < 1.5 * len(text)


@pytest.mark.parametrize("name", PROVEN)
def test_texts_are_read_once_in_whatever_order_they_stand(name: str) -> None:
    encoder = zoo(name).joined
    texts = [f"The same long text number {n}, which is shown and asked about many times over. " * 100 for n in range(3)]
    before = encoder.encoded_characters
    for number in range(50):
        shown = texts[number % 3 :] + texts[: number % 3]
        zoo(name).encode_joined([*shown, f" Q: What is {number}?, A:"])
    assert encoder.encoded_characters - before < 1.5 * sum(map(len, texts)) + 50 * 4 * 100


def test_no_more_texts_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "KEPT_TOKENS", 3000)
    tokenizer = load_like("gpt2")
    texts = [f"Text {n} of many words about the king. " * 100 for n in range(8)]
    for text in texts:
        assert tokenizer.encode_joined([text, "?"]).ids == tokenizer.encode_literal(text + "?").ids
    kept = tokenizer.joined._read
    assert texts[-1] in kept
    assert sum(len(read.ids) for read in kept.values()) <= 3000 or len(kept) == 1


def load_like(name: str) -> HFTokenizer:
    """One of the zoo with nothing kept yet."""
    return HFTokenizer(zoo(name)._pretrained, name=name, digest=name)


def test_threads_may_join_texts_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "KEPT_TOKENS", 2000)
    tokenizer = load_like("llama3")
    texts = [f"Text {n} of many words about the king. " * 50 for n in range(6)]
    expected = {text: tokenizer.encode_literal(text + "?").ids for text in texts}

    def work(seed: int) -> bool:
        chosen = random.Random(seed).choices(texts, k=40)  # noqa: S311 - a seeded order
        return all(tokenizer.encode_joined([text, "?"]).ids == expected[text] for text in chosen)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(4)))
