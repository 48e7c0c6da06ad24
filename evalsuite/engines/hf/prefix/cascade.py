"""Attention in two parts: over a prefix that all queries see, without a mask, and over the rest, with a small one.

The parts are joined by their log-sum-exps, so the result is that of one masked attention up to rounding; what is
saved is a mask as wide as the document, its widening to floats in every layer, and work on keys nobody may see.
The idea is Hydragen's (arXiv 2402.05099) and cascade inference's; the kernel is torch's own for the CPU, the one
that hands out the log-sum-exps. Elsewhere masks as wide as the keys are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "evalsuite_cascade"


@dataclass(frozen=True, slots=True)
class Split:
    """How the keys of one pass divide."""

    prefix: int
    """Leading keys that every query sees."""
    mask: Tensor | None
    """Additive, ``[1, 1, queries, other keys]``; None: the other keys are the queries' own, seen causally."""


_active: list[Split] = []
"""The split of the pass under way: the library hands no argument of ours down to every architecture's attention."""


@contextmanager
def splitting(split: Split) -> Iterator[None]:
    """Makes the attention of one pass go in two parts."""
    _active.append(split)
    try:
        yield
    finally:
        _active.pop()


def use_cascade(model: Any) -> None:
    """Gives a model the attention that can be split; without a split it is the library's sdpa."""
    AttentionInterface.register(NAME, cascade_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def cascade_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it; query ``[1, heads, tokens, width]``, key and value with their own heads."""
    if not _active:
        whole: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **more
        )
        return whole
    split = _active[-1]
    rest = _part(query, key[:, :, split.prefix :], value[:, :, split.prefix :], scaling, split.mask)
    if split.prefix:
        rest = _join(_prefix(query, key[:, :, : split.prefix], value[:, :, : split.prefix], scaling), rest)
    return rest[0].transpose(1, 2).contiguous(), None


def _part(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    output, sums = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(  # noqa: SLF001  # the one that gives sums
        query, key, value, is_causal=mask is None, attn_mask=mask, scale=scaling
    )
    return output, sums


def _prefix(query: Tensor, key: Tensor, value: Tensor, scaling: float | None) -> tuple[Tensor, Tensor]:
    """All queries over the prefix; heads that read the same keys stand in one row of queries, so keys are read once."""
    batch, heads, tokens, width = query.shape
    folded = query.reshape(batch, key.shape[1], -1, width)
    output, sums = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(  # noqa: SLF001  # same
        folded, key, value, scale=scaling
    )
    return output.reshape(batch, heads, tokens, -1), sums.reshape(batch, heads, tokens)


def _join(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    sums = torch.logaddexp(first[1], second[1])
    weights = [(part - sums).exp()[..., None] for part in (first[1], second[1])]
    joined = first[0].float() * weights[0] + second[0].float() * weights[1]
    return joined.to(first[0].dtype), sums
