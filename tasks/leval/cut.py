"""L-Eval's document cut: a word-wise loop around a token limit, the same in its three scripts.

Source: OpenLMLab/LEval@cd34b05, Baselines/{llama2-chat-test,longchat-test,turbo16k-test}.py.
"""

from dataclasses import dataclass
from typing import Literal

from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Span

RESERVED_TOKENS = 512
"""What the scripts take off `--max_length` for the answer."""

STEP_WORDS = 250
"""Words by which every further round of the loop keeps fewer."""

SEAM_TOKENS = 64
"""Far more tokens than a cut can save by the one word it ends in."""


@dataclass(frozen=True, slots=True)
class DocumentCut:
    """A document after the cut, and what it lost.

    Attributes:
        text: the words kept, joined by single spaces.
        kept: where `text` stands in the document, in characters.
        side: where words were taken; None when none were.
        rounds: rounds of the official loop; a round may take nothing.
        tokens_before: tokens of the whole document, as the script counts them.
        tokens_kept: tokens of `text`, counted the same way.
        words_before: parts of `split(" ")` of the whole document.
        words_kept: words of `text`; 0 when nothing is left.
    """

    text: str
    kept: Span
    side: Literal["left", "right"] | None
    rounds: int
    tokens_before: int
    tokens_kept: int
    words_before: int
    words_kept: int


def document_limit(max_length: str) -> int:
    """Return the most tokens a document may have under the script's argument `--max_length`, such as `16k`.

    Raises:
        UsageError: not a number of thousands.
    """
    try:
        thousands = float(max_length.replace("k", ""))
    except ValueError as error:
        raise UsageError(f"L-Eval: max_length {max_length!r} is not a number of thousands such as 16k") from error
    # The product is cut, not rounded: 32.3k gives 32,299 in binary floating point.
    return int(thousands * 1000) - RESERVED_TOKENS


def cut_document(
    document: str, limit: int, tokenizer: Tokenizer, *, keep_end: bool, special_tokens: bool
) -> DocumentCut:
    """Cut a document as the official loop does.

    Args:
        document: the whole text.
        limit: most tokens it may have; the frame around it is not counted.
        tokenizer: the evaluated model's.
        keep_end: drop words from the front (codeU) rather than from the end.
        special_tokens: count the tokenizer's own specials (the two Hugging Face scripts do).

    Raises:
        UsageError: not even an empty document is within the limit (the official loop never ends there).
    """
    # Only single spaces separate: line breaks belong to words, double spaces make empty words.
    words, text, rounds = document.split(" "), document, 0
    tokens = tokens_before = _count(document, tokenizer, special_tokens=special_tokens)
    longest = _longest_counted(document, limit, tokenizer, keep_end=keep_end) if tokens > limit else 0
    while tokens > limit:
        if not text:
            raise UsageError(
                f"L-Eval: a document may have {limit} tokens, fewer than an empty one has; raise the limit"
            )
        # The token limit serves as a number of words, so the first rounds often take nothing; once the steps
        # exceed it, the slice changes sign and takes words from the other count until, in the end, none is left.
        size = limit - rounds * STEP_WORDS
        words = words[-size:] if keep_end else words[:size]
        text = " ".join(words)
        if len(text) <= longest:
            tokens = _count(text, tokenizer, special_tokens=special_tokens)
        rounds += 1
    side: Literal["left", "right"] | None = "left" if keep_end else "right"
    start = len(document) - len(text) if keep_end else 0
    return DocumentCut(
        text=text,
        kept=Span(start, start + len(text)),
        side=side if len(text) < len(document) else None,
        rounds=rounds,
        tokens_before=tokens_before,
        tokens_kept=tokens,
        words_before=document.count(" ") + 1,
        words_kept=len(words) if text else 0,
    )


def _longest_counted(document: str, limit: int, tokenizer: Tokenizer, *, keep_end: bool) -> int:
    """Return the characters beyond which a beginning (or end) of the document surely has more tokens than the limit.

    The official loop counts every round; encoding twenty nested texts of a long document is most of its time. Tokens
    are local: cutting behind one changes few before it, so a text that holds `SEAM_TOKENS` more of the document's own
    tokens than the limit is over it, and only the others are counted.
    """
    offsets, size = tokenizer.offsets(document), max(limit, 0) + SEAM_TOKENS
    if size >= len(offsets):
        return len(document)
    return len(document) - offsets[-size][0] if keep_end else offsets[size][1]


def _count(text: str, tokenizer: Tokenizer, *, special_tokens: bool) -> int:
    """Return the number of tokens."""
    return len(tokenizer.encode(text, special_tokens=special_tokens))
