"""ROUGE and start-up: what a user waits for without a model."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.data import Book
from benchmarks.rows import Deadline, Row, from_pairs
from benchmarks.wall import take_pairs

STEP = 50
"""Words between the texts of one pair of measurements and the next."""
TYPES = ("rouge1", "rouge2", "rougeL")


def rouge_rows(books: Sequence[Book], most: int, deadline: Deadline, *, quick: bool) -> Iterator[Row]:
    """ROUGE-1/2/L with stemming on stretches of real meetings."""
    for words, texts, goal in ((250, 20, "ratio 10"), (2500, 1 if quick else 3, "ratio 50")):
        fresh = [stretches(books[:texts], words, shift) for shift in range(most)]
        yield rouge_row(fresh, words, goal, deadline)


def stretches(books: Sequence[Book], words: int, shift: int) -> list[tuple[str, str]]:
    """Two stretches of so many words of each meeting; another shift gives other texts, which no cache knows."""
    pairs = []
    for book in books:
        every = book.text.split()[shift * STEP :]
        pairs.append((" ".join(every[:words]), " ".join(every[words : 2 * words])))
    return pairs


def rouge_row(fresh: Sequence[Sequence[tuple[str, str]]], words: int, goal: str, deadline: Deadline) -> Row:
    """Both scorers on the same texts, new ones in every pair; equal means that all floats are."""
    from rouge_score.rouge_scorer import RougeScorer

    from evalsuite.metrics.rouge import rouge

    scorer = RougeScorer(list(TYPES), use_stemmer=True)
    theirs: list[object] = []
    ours: list[object] = []
    for_peer, for_us = iter(fresh), iter(fresh)

    def peer() -> None:
        theirs.extend(tuple(tuple(scorer.score(b, a)[t]) for t in TYPES) for a, b in next(for_peer))

    def mine() -> None:
        found = [rouge(a, b, use_stemmer=True) for a, b in next(for_us)]
        ours.extend(tuple((o.precision, o.recall, o.fmeasure) for o in (getattr(r, t) for t in TYPES)) for r in found)

    pairs = take_pairs(peer, mine, len(fresh), deadline)
    peer_seconds, our_seconds = from_pairs(pairs)
    return Row(
        name=f"rouge_{words}",
        what=f"ROUGE-1/2/L with stemmer, {len(fresh[0])} pairs of {words} words of QMSum, other texts in every pair",
        peer=peer_seconds,
        ours=our_seconds,
        unit="s",
        goal=f"{goal}, exactly equal",
        equal=theirs == ours,
        pairs=pairs,
        peer_config="rouge-score 0.1.2, RougeScorer",
    )


def start_rows(*, quick: bool) -> Iterator[Row]:
    """The first answer of the command line, against an interpreter that does nothing and against lm-eval's."""
    scripts = Path(sys.executable).parent
    times = 3 if quick else 7
    nothing = seconds([sys.executable, "-c", "pass"], times)
    for name, ours, theirs, goal in (
        ("help_start", ["evalsuite", "--help"], ["lm_eval", "--help"], 6),
        ("tasks_start", ["evalsuite", "tasks"], ["lm_eval", "ls", "tasks"], 15),
    ):
        taken = seconds([str(scripts / ours[0]), *ours[1:]], times)
        peer = seconds([str(scripts / theirs[0]), *theirs[1:]], 1 if name == "tasks_start" else times)
        yield Row(
            name=name,
            what=f"`{' '.join(ours)}`, median of {times} warm starts, modules compiled",
            peer=peer,
            ours=taken,
            unit="s",
            goal=f"limit_ratio at most {goal}",
            limit_ratio=taken / nothing,
            peer_config=f"`{' '.join(theirs)}`",
            note=f"limit is `python -c pass` ({nothing:.4f} s)",
        )


def warm_environment() -> dict[str, str]:
    """What commands run in: off the network, and free to keep their modules compiled, as an installation does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "HF_HUB_OFFLINE": "1"}


def seconds(command: Sequence[str], times: int) -> float:
    """Median seconds of a command, the first run not counted."""
    environment = warm_environment()
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603  # our own commands
        taken.append(time.perf_counter() - began)
    return median(taken[1:])
