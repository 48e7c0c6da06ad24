"""From hidden rows to log-likelihoods, in float32, a chunk of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, isfinite

import torch
from torch import Tensor

from evalsuite.engines.hf.compute.failures import NOT_FINITE, failed
from evalsuite.engines.hf.compute.network import Network
from evalsuite.engines.hf.prefix.plan import Ask
from evalsuite.types import Completion, OptionScore

NOWHERE = -1
"""Stands for a token where there is none."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token's log-likelihood where it stands."""

    value: float
    """Natural log."""
    greedy: bool
    """Whether it was the model's first choice."""


def read_logprobs(network: Network, rows: Tensor, asked: Sequence[tuple[int, int]]) -> list[TokenLogprob]:
    """Log-likelihoods of tokens after rows.

    Args:
        network: makes logits of rows.
        rows: what ``Network.forward`` returned.
        asked: (row, token id) each.
    """
    by_row: dict[int, list[int]] = {}
    for index, (row, _) in enumerate(asked):
        by_row.setdefault(row, []).append(index)
    found: list[TokenLogprob | None] = [None] * len(asked)
    for chunk in _chunks(list(by_row), network.logit_rows):
        logits = network.logits(rows[torch.tensor(chunk, device=rows.device)])
        indices = [index for row in chunk for index in by_row[row]]
        local = [(at, asked[index][1]) for at, row in enumerate(chunk) for index in by_row[row]]
        for index, value in zip(indices, gather_logprobs(logits, local), strict=True):
            found[index] = value
    return [value for value in found if value is not None]


def gather_logprobs(logits: Tensor, asked: Sequence[tuple[int, int]]) -> list[TokenLogprob]:
    """Log-likelihoods of (row, token id) pairs in float32 logits of shape ``[rows, vocabulary]``."""
    at, id_ = torch.tensor(asked, device=logits.device, dtype=torch.long).reshape(-1, 2).unbind(-1)
    # log-softmax of the wanted entries only: no second array of the vocabulary's size.
    values = logits[at, id_] - torch.logsumexp(logits, dim=-1)[at]
    greedy = logits.argmax(dim=-1)[at] == id_
    return [TokenLogprob(value, first) for value, first in zip(values.tolist(), greedy.tolist(), strict=True)]


def greedy_ids(network: Network, rows: Tensor) -> list[int | None]:
    """The likeliest next token of each row; None where the row's logits are not finite."""
    ids: list[int] = []
    for piece in torch.split(rows, network.logit_rows):
        logits = network.logits(piece)
        likeliest = logits.argmax(dim=-1)
        # argmax takes a NaN or an infinity for the largest, so looking at the winner alone finds them.
        finite = logits.gather(1, likeliest[:, None])[:, 0].isfinite()
        ids += likeliest.where(finite, NOWHERE).tolist()
    return [None if id_ == NOWHERE else id_ for id_ in ids]


def score_options(ask: Ask, options: Sequence[Sequence[TokenLogprob]], cached_tokens: int) -> Completion:
    """A request's answer from the log-likelihoods of each option's tokens; one that is not finite fails it."""
    if not all(isfinite(token.value) for tokens in options for token in tokens):
        return failed(ask, NOT_FINITE)
    return Completion(
        key=ask.request.key,
        prompt_tokens=len(ask.prompt),
        cached_tokens=cached_tokens,
        options=tuple(map(_option_score, options)),
    )


def _option_score(tokens: Sequence[TokenLogprob]) -> OptionScore:
    return OptionScore(
        logprob=fsum(token.value for token in tokens),
        tokens=len(tokens),
        greedy=all(token.greedy for token in tokens),
    )


def _chunks(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
