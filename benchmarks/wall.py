"""Wall time of whole documents with all their questions: both sides in one process, turn by turn."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.peers import NAME, Peer
from benchmarks.requests import NEW_TOKENS
from benchmarks.rows import Deadline, Pair, Row, from_pairs, sides
from evalsuite.engines.hf import HFEngine
from evalsuite.types import Completion, Request

CUT_OFF = "\ufffd"
TOLERANCE = 1e-3
"""Of an option's log-likelihood: some ten tokens, each summed over 8000 float32 logits."""


def take_pairs(peer: Callable[[], Any], ours: Callable[[], Any], most: int, deadline: Deadline) -> tuple[Pair, ...]:
    """Runs both sides in turns, until there are enough pairs or no time for another."""
    pairs: list[Pair] = []
    while len(pairs) < most:
        began = time.monotonic()
        taken: dict[str, float] = {}
        order = tuple(sides(len(pairs)))
        for side in order:
            start = time.perf_counter()
            (peer if side == "peer" else ours)()
            taken[side] = time.perf_counter() - start
        pairs.append(Pair(taken["peer"], taken["ours"], os.getloadavg()[0], order[0]))
        if time.monotonic() - began > deadline.left:
            break
    return tuple(pairs)


def option_wall(
    engine: HFEngine, peer: Peer, made: Sequence[Sequence[Request]], most: int, deadline: Deadline, config: str
) -> Row:
    """Log-likelihoods of options as text."""
    flat = [request for group in made for request in group]
    results: dict[str, Any] = {}

    def theirs() -> None:
        results["peer"] = peer.options(flat)

    def mine() -> None:
        engine.counters.reset()
        results["ours"] = {completion.key: completion for completion in engine.complete(made)}

    pairs = take_pairs(theirs, mine, most, deadline)
    peer_seconds, our_seconds = from_pairs(pairs)
    return Row(
        name="ll_wall",
        what=f"options as text, {len(made)} whole documents, {len(flat)} questions, float32",
        peer=peer_seconds,
        ours=our_seconds,
        unit="s",
        goal="published (hope: 12)",
        equal=same_options(flat, results["peer"], results["ours"]),
        pairs=pairs,
        peer_config=config,
        note=f"tokens forwarded here: ours {engine.counters.tokens}",
    )


def same_options(
    requests: Sequence[Request], theirs: Sequence[Sequence[tuple[float, bool]]], ours: dict[str, Completion]
) -> bool:
    """Whether log-likelihoods agree within rounding and choices are the same."""
    for request, values in zip(requests, theirs, strict=True):
        mine = [option.logprob for option in ours[request.key].options]
        peer = [value for value, _ in values]
        if max(abs(a - b) for a, b in zip(mine, peer, strict=True)) > TOLERANCE:
            return False
        if mine.index(max(mine)) != peer.index(max(peer)):
            return False
    return True


def same_texts(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether texts are the same; bytes of a character the limit cut off are text to lm-eval and not to us."""
    return [text.rstrip(CUT_OFF) for text in ours] == [text.rstrip(CUT_OFF) for text in theirs]


def generation_wall(
    engine: HFEngine, peer: Peer, made: Sequence[Sequence[Request]], most: int, deadline: Deadline
) -> Row:
    """Greedy generation for every question."""
    flat = [request for group in made for request in group]
    prompts = [engine.tokenizer.decode(request.prompt) for request in flat]
    results: dict[str, Any] = {}

    def theirs() -> None:
        results["peer"] = peer.generate(prompts, NEW_TOKENS)

    def mine() -> None:
        results["ours"] = {completion.key: completion.text for completion in engine.complete(made)}

    pairs = take_pairs(theirs, mine, most, deadline)
    peer_seconds, our_seconds = from_pairs(pairs)
    return Row(
        name="gen_wall",
        what=f"{NEW_TOKENS} greedy tokens, {len(made)} whole documents, {len(flat)} questions, float32",
        peer=peer_seconds,
        ours=our_seconds,
        unit="s",
        goal="published (hope: 4)",
        equal=same_texts([results["ours"][request.key] for request in flat], results["peer"]),
        pairs=pairs,
        peer_config=f"{NAME}, batch {peer.batch}",
    )
