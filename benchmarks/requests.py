"""The same questions as requests of exact token ids: whole documents, cut as a protocol cuts them, or cut alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from benchmarks.data import Book, Question
from evalsuite.interfaces import Tokenizer
from evalsuite.prompts.chat import Frame
from evalsuite.prompts.fit import Budget, Fitted, fit
from evalsuite.types import Document, Part, Request, Role, Sample, Span
from evalsuite.work import Choose, Generate

Cutting = Literal["uncut", "left", "aligned"]
UNBOUND = 1 << 20
NEW_TOKENS = 32


def groups(
    books: Sequence[Book], tokenizer: Tokenizer, *, options: bool, cutting: Cutting, cap: int = UNBOUND
) -> Iterator[list[Request]]:
    """One group of requests a document.

    Args:
        books: documents with their questions.
        tokenizer: the model's.
        options: ask for the log-likelihoods of the options as text; else for a generation.
        cutting: whole; cut from the left to the cap as each question needs; or one such cut for all of a document.
        cap: most tokens of a prompt.
    """
    for book in books:
        fits = [_fit(book, question, tokenizer, cutting, cap) for question in book.questions]
        if cutting == "aligned":
            widest = max((f.removed for f in fits if f.removed), key=lambda span: span.end, default=None)
            fits = [_fit(book, question, tokenizer, cutting, cap, widest) for question in book.questions]
        yield [
            _request(f"{book.id}-{number}", fitted, question, tokenizer, options=options)
            for number, (fitted, question) in enumerate(zip(fits, book.questions, strict=True))
        ]


def _fit(
    book: Book, question: Question, tokenizer: Tokenizer, cutting: Cutting, cap: int, aligned: Span | None = None
) -> Fitted:
    parts = (
        Part(Role.DOCUMENT, book.text),
        Part(Role.QUESTION, f"\n\nQ: {question.text}\n"),
        Part(Role.RESPONSE, "A:"),
    )
    sample = Sample("benchmark", Document(book.id, book.text), question.text, ())
    strategy = "error" if cutting == "uncut" else "left"
    fitted = fit(parts, Frame((), ()), Budget(cap, "cap"), strategy, tokenizer, sample, aligned=aligned)
    if fitted is None:
        raise AssertionError("these strategies skip nothing")
    return fitted


def _request(key: str, fitted: Fitted, question: Question, tokenizer: Tokenizer, *, options: bool) -> Request:
    asked = tuple(tokenizer.encode_literal(f" {option}").ids for option in question.options) if options else ()
    return Request(
        id=key,
        cell="benchmark",
        sample_id=key,
        document_hash=key.rsplit("-", 1)[0],
        key=key,
        prompt=fitted.ids,
        work=Choose(asked) if asked else Generate(NEW_TOKENS),
        cut=fitted.cut,
    )
