"""Loss of every token of a long text in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evalsuite.engines.hf.compute.network import Network
from evalsuite.engines.hf.prefix.tree import Ids, as_ids


def rolling_loss(
    network: Network, ids: Sequence[int], window: int | None, chunk: int | None
) -> npt.NDArray[np.float32]:
    """Negative log-likelihood of each token but the first, given all before it in its window.

    Args:
        network: the model.
        ids: a text's ids, BOS included where the model wants one.
        window: most tokens one prediction may look back over; a longer text continues in windows that begin with the
            last token of the one before, as lm-eval's rolling windows do. None: one window however long.
        chunk: tokens of one pass; a longer window goes in chunks behind held keys and values. None: one pass a window,
            for models whose cache keeps less than all keys and values.

    Returns:
        Natural-log losses, shape ``[len(ids) - 1]``.
    """
    every = as_ids(ids)
    # One array from the start: small results kept between large temporaries would scatter the heap.
    losses = np.empty(max(len(every) - 1, 0), dtype=np.float32)
    step = window or max(len(losses), 1)
    for start in range(0, len(losses), step):
        _window(network, every[start : start + step + 1], chunk, losses[start : start + step])
    return losses


def _window(network: Network, ids: Ids, chunk: int | None, losses: npt.NDArray[np.float32]) -> None:
    read, targets = ids[:-1], ids[1:]
    chunk = len(read) if chunk is None else chunk if network.head is not None else min(chunk, network.logit_rows)
    # One pass needs no keys and values afterwards, and its causal kernel no mask.
    cache = network.cache() if len(read) > chunk else None
    if cache is not None:
        cache.reserve(len(read))
    for start in range(0, len(read), chunk):
        piece = slice(start, start + chunk)
        rows = network.forward(read[piece], cache, want=slice(None))
        _read_losses(network, rows, targets[piece], losses[piece])


def _read_losses(network: Network, rows: Tensor, targets: Ids, losses: npt.NDArray[np.float32]) -> None:
    for start in range(0, len(targets), network.logit_rows):
        piece = slice(start, start + network.logit_rows)
        logits = network.logits(rows[piece])
        wanted = torch.as_tensor(targets[piece], device=logits.device)
        chosen = logits.gather(1, wanted[:, None])[:, 0]
        losses[piece] = (logits.logsumexp(dim=-1) - chosen).cpu().numpy()
