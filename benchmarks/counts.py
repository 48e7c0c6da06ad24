"""Rows that need no forward pass: tokens, keys and values, and passes of the tokenizer, over whole data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.data import Book
from benchmarks.peers import NAME, peer_tokens
from benchmarks.requests import NEW_TOKENS, UNBOUND, Cutting, groups
from benchmarks.rows import Row
from evalsuite.engines.hf.compute.counts import count
from evalsuite.engines.hf.prefix.plan import Costs
from evalsuite.tokenizers import HFTokenizer
from evalsuite.types import Request

CAP = 4096
"""Most tokens of a prompt where one is cut: most of L-Eval's stories are longer."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What counting needs of an engine."""

    tokenizer: HFTokenizer
    costs: Costs
    room: int
    """Most suffix tokens of a pack."""
    kv_bytes: int
    """Bytes of one token's keys and values."""


def option_rows(setting: Setting, books: Sequence[Book]) -> Iterator[Row]:
    """Tokens forwarded for options as text: whole documents, the paper's left cut, and one cut a document."""
    told: dict[Cutting, tuple[str, str, str]] = {
        "uncut": ("ll_tokens", "whole documents", "ratio 25, limit_ratio at most 1.05"),
        "left": (
            "ll_tokens_left",
            f"cut from the left to {CAP} tokens as each question needs: only a question's options share",
            "published",
        ),
        "aligned": (
            "ll_tokens_aligned",
            f"one left cut a document to {CAP} tokens (--share-prefix aligned)",
            "published",
        ),
    }
    for cutting, (name, how, goal) in told.items():
        cap = UNBOUND if cutting == "uncut" else CAP
        made = list(groups(books, setting.tokenizer, options=True, cutting=cutting, cap=cap))
        planned = count(made, setting.costs, setting.room)
        yield Row(
            name=name,
            what=f"tokens forwarded, options as text, L-Eval QuALITY, {how}",
            peer=sum(peer_tokens(group) for group in made),
            ours=planned.forwarded,
            unit="tokens",
            goal=goal,
            limit_ratio=planned.forwarded / planned.distinct,
            peer_config=f"{NAME}, batch 1 (no padding), logits_cache on",
        )


def generation_rows(setting: Setting, books: Sequence[Book]) -> Iterator[Row]:
    """Prompt tokens forwarded and keys and values held when every question is answered by generation."""
    made = list(groups(books, setting.tokenizer, options=False, cutting="uncut"))
    planned = count(made, setting.costs, setting.room)
    yield Row(
        name="gen_tokens",
        what="prompt tokens forwarded, generation, whole L-Eval QuALITY and QMSum test, uncut",
        peer=sum(len(request.prompt) for group in made for request in group),
        ours=planned.forwarded,
        unit="tokens",
        goal="limit_ratio at most 1.1; greedy ids identical in float32",
        limit_ratio=planned.forwarded / planned.distinct,
        peer_config=f"{NAME}, any batch size, without padding",
    )
    held = [(count([group], setting.costs, setting.room).kv_tokens, _copies(group)) for group in made]
    yield Row(
        name="gen_kv",
        what=f"keys and values held for all questions of a document ({NEW_TOKENS} new tokens), summed over documents",
        peer=setting.kv_bytes * sum(copies for _, copies in held) / 2**20,
        ours=setting.kv_bytes * sum(ours for ours, _ in held) / 2**20,
        unit="MiB",
        goal="ratio 5",
        peer_config="one copy of the document a question: a batch of all questions in lm-eval or generate()",
    )


def _copies(group: Sequence[Request]) -> int:
    longest = max(len(request.prompt) for request in group)
    return len(group) * (longest + NEW_TOKENS)


def encode_row(setting: Setting, books: Sequence[Book]) -> Row:
    """How often each document passes the tokenizer while its requests are made."""
    encoder = setting.tokenizer.joined
    before = encoder.encoded_characters
    made = list(groups(books, setting.tokenizer, options=True, cutting="uncut"))
    characters = sum(len(book.text) for book in books)
    asked = {book.id: sum(len(q.options) for q in book.questions) for book in books}
    exact = all(
        request.prompt == setting.tokenizer.encode_literal(f"{book.text}\n\nQ: {question.text}\nA:").ids
        for book, group in zip(books, made, strict=True)
        for question, request in list(zip(book.questions, group, strict=True))[:3]
    )
    return Row(
        name="encode_passes",
        what="passes of the tokenizer over the documents while requests are made, L-Eval QuALITY",
        peer=sum(2 * asked[book.id] * len(book.text) for book in books) / characters,
        ours=(encoder.encoded_characters - before) / characters,
        unit="passes",
        goal="at most 1.1, ids identical",
        equal=exact,
        peer_config="lm-eval: context and context with option, for every option (api/model.py, _encode_pair)",
        note="the question's own characters count as well; ids compared for three questions of each document",
    )
