"""``python -m benchmarks.vllm [--json FILE] [--page FILE]``: our vLLM engine against lm-eval's vLLM class, on a CPU.

Both load the same checkpoint into the same vLLM with the same cache: lm-eval's in this process, ours in its worker.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.data import Book, data_folder, qmsum, quality
from benchmarks.models import VOCABULARY, make_model
from benchmarks.requests import groups
from benchmarks.rows import Pair, Row, from_pairs, machine, sides, write_json
from benchmarks.vllm_page import page
from benchmarks.vllm_sides import Run, Setup, both
from evalsuite.engines.hf.prefix.tree import as_ids, distinct_tokens
from evalsuite.interfaces import Tokenizer
from evalsuite.tokenizers import load_tokenizer
from evalsuite.types import Request
from evalsuite.work import Generate

TIMED = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
COUNTING = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
"""Which tokens are computed does not depend on the model's size."""
BLOCK = 128
CACHED_DOCUMENTS = 3
NEW_TOKENS = 4
MEETINGS = 35
EQUAL_DOCUMENTS = 8
QUESTIONS = 5
TIMED_LENGTH = 4096
STORY_PAIRS = ((1, 8), (2, 3), (4, 5), (6, 7), (9, 10), (11, 12), (13, 14))
"""Stories asked in each pair of runs: others every time, so that no cache helps from one pair to the next."""
PEER = "lm_eval.models.vllm_causallms.VLLM, batch_size=auto, enable_prefix_caching=True, float32, same KV cache"
TOLERANCE = 1e-4


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--meetings", type=int, default=MEETINGS)
    asked = parser.parse_args()
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    rows = []
    for row in measure(asked.meetings):
        rows.append(row)
        print(line(row), flush=True)
    about = {"machine": {**machine(), "vllm": _vllm_version()}}
    if asked.json:
        write_json(asked.json, rows, about)
    if asked.page:
        asked.page.write_text(page({**about, "rows": [row.record() for row in rows]}), encoding="utf-8")


def measure(meetings: int) -> Iterator[Row]:
    """All rows."""
    folder = data_folder()
    stories, sessions = quality(folder), qmsum(folder)[:meetings]
    with tempfile.TemporaryDirectory() as scratch:
        texts = [book.text for book in (*stories, *sessions)]
        timed = make_model(Path(scratch, "timed"), texts, sizes=TIMED, vocabulary=VOCABULARY, dtype="float32")
        small = make_model(Path(scratch, "small"), texts, sizes=COUNTING, vocabulary=VOCABULARY, dtype="float32")
        tokenizer = load_tokenizer(str(timed))
        asked = [_with_options(story) for story in stories]
        sets = {"quality": asked, "qmsum": sessions, "equal": equal_length(asked[:EQUAL_DOCUMENTS], tokenizer)}
        for name, books in sets.items():
            yield generation_row(name, small, books, tokenizer)
        yield options_row(timed, stories, tokenizer)


def options_row(checkpoint: Path, stories: Sequence[Book], tokenizer: Tokenizer) -> Row:
    """Wall time of the log-likelihoods of options as text."""
    sets = [
        list(
            groups([_some(stories[number], tokenizer) for number in numbers], tokenizer, options=True, cutting="uncut")
        )
        for numbers in STORY_PAIRS
    ]
    every = [request for asked in sets for group in asked for request in group]
    setup = _setup(checkpoint, TIMED, every, kv_documents=4 * CACHED_DOCUMENTS)
    pairs, equal, computed, distinct = [], True, 0, 0
    with both(setup, tokenizer) as engines:
        for number, asked in enumerate(sets):
            load_now = os.getloadavg()[0]
            order = tuple(sides(number))
            runs = {side: engines[side].run(asked) for side in order}
            pairs.append(Pair(runs["peer"].seconds, runs["ours"].seconds, load_now, order[0]))
            equal &= _same(runs["peer"], runs["ours"])
            computed += runs["ours"].computed
            distinct += _distinct(asked)
    peer, ours = from_pairs(pairs)
    return Row(
        name="vllm_ll_options",
        what=f"options of {QUESTIONS} questions on each of two L-Eval QuALITY stories of {TIMED_LENGTH} tokens",
        peer=peer,
        ours=ours,
        unit="s",
        goal="ratio 6",
        limit_ratio=computed / distinct,
        equal=equal,
        pairs=tuple(pairs),
        peer_config=PEER,
        note="limit_ratio: tokens computed against distinct tokens, whole cache blocks of 128 being shared",
    )


def generation_row(name: str, checkpoint: Path, books: Sequence[Book], tokenizer: Tokenizer) -> Row:
    """Prompt tokens computed for generations with a cache of three documents."""
    asked = [
        [replace(request, work=Generate(NEW_TOKENS)) for request in group]
        for group in groups(books, tokenizer, options=False, cutting="uncut")
    ]
    setup = _setup(checkpoint, COUNTING, [request for group in asked for request in group])
    with both(setup, tokenizer) as engines:
        peer, ours = engines["peer"].run(asked), engines["ours"].run(asked)
    questions = sum(map(len, asked))
    return Row(
        name=f"vllm_gen_{name}",
        what=f"generation, {len(books)} documents, {questions} questions, cache of {setup.kv_tokens} tokens",
        peer=peer.computed,
        ours=ours.computed,
        unit="tokens",
        goal="ratio at least 1",
        limit_ratio=ours.computed / _distinct(asked),
        equal=peer.answers == ours.answers,
        peer_config=PEER,
        note=f"one run: {peer.seconds:.0f} s against {ours.seconds:.0f} s",
    )


def equal_length(books: Sequence[Book], tokenizer: Tokenizer) -> list[Book]:
    """The documents, all cut to the length of the shortest."""
    length = min(len(tokenizer.encode_literal(book.text).ids) for book in books)
    return [_shortened(book, length, tokenizer) for book in books]


def _some(book: Book, tokenizer: Tokenizer) -> Book:
    return replace(_shortened(book, TIMED_LENGTH, tokenizer), questions=book.questions[:QUESTIONS])


def _with_options(book: Book) -> Book:
    """The questions as the task asks them: their options stand in the prompt."""
    texts = (
        " ".join((q.text, *(f"({letter}) {o}" for letter, o in zip("ABCD", q.options, strict=False))))
        for q in book.questions
    )
    return replace(book, questions=tuple(replace(q, text=text) for q, text in zip(book.questions, texts, strict=True)))


def _shortened(book: Book, length: int, tokenizer: Tokenizer) -> Book:
    offsets = tokenizer.encode_literal(book.text).offsets
    return replace(book, text=book.text[: offsets[min(length, len(offsets)) - 1][1]])


def _setup(
    checkpoint: Path, sizes: dict[str, int], requests: Sequence[Request], *, kv_documents: int = CACHED_DOCUMENTS
) -> Setup:
    """A cache of that many mean documents, and at least of the longest request."""
    needs = [len(r.prompt) + r.answer_tokens for r in requests]
    documents = {request.document_hash: len(request.prompt) for request in requests}
    mean = sum(documents.values()) // len(documents)
    # lm-eval's class keeps a token back and wants room for the one it generates behind a scored option.
    longest = max(needs) + 2
    tokens = max(kv_documents * mean, longest + 2 * BLOCK)
    return Setup(checkpoint, sizes, longest, -(-tokens // BLOCK) * BLOCK)


def _distinct(asked: Sequence[Sequence[Request]]) -> int:
    """Tokens of the tree of all prompts and options: nothing computes fewer."""
    return sum(
        distinct_tokens(as_ids((*r.prompt, *option[:-1])) for r in group for option in (r.options or ((),)))
        for group in asked
    )


def _same(peer: Run, ours: Run) -> bool:
    return all(
        abs(a - b) <= TOLERANCE
        for key, scores in peer.answers.items()
        for a, b in zip(scores, ours.answers[key], strict=True)
    )


def _vllm_version() -> str:
    import vllm

    return str(vllm.__version__)


def line(row: Row) -> str:
    """A row for the terminal."""
    equal = "equal" if row.equal else "NOT EQUAL"
    return f"{row.name}: peer {row.peer:.4g}, ours {row.ours:.4g} {row.unit}: {row.ratio:.2f}, {equal}; {row.note}"


if __name__ == "__main__":
    main()
