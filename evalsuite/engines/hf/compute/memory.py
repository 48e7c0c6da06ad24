"""How many tokens fit, and what to do when that was too many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

ACTIVATION_SHARE = 0.2
KV_SHARE = 0.5
MASK_SHARE = 0.1
LOGIT_BYTES = (1 << 24, 1 << 28)
"""Most bytes of float32 logits made at once, on a CPU and on a GPU."""
CPU_CHUNK = 2048
"""Enough rows to keep a CPU busy; more only holds more memory."""
MOST_CHUNK = 16384
MOST_PACK = 4096
CPU_BATCH = 8192
"""A CPU gains nothing from larger batches, and answers come sooner from smaller ones."""
LEAST = 16
GIB = 1 << 30
UNKNOWN_FREE = 2 * GIB


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one forward pass, in tokens; halved when memory runs out all the same."""

    chunk: int
    """Tokens in one causal pass."""
    pack: int
    """Suffix tokens in one pack."""
    mask_bytes: int
    """Bytes of an attention mask."""
    batch: int
    """Tokens, padding included, in one ordinary batch."""

    def halved(self) -> Budget:
        """Half of everything, but no less than the least that still works."""
        return Budget(
            max(self.chunk // 2, LEAST), max(self.pack // 2, LEAST), max(self.mask_bytes // 2, 1 << 16), self.batch // 2
        )

    @property
    def is_least(self) -> bool:
        """Whether halving again would change nothing that matters."""
        return self.chunk <= LEAST and self.pack <= LEAST

    def mask_rows(self, keys: int) -> int:
        """Queries a mask over that many keys may have: a byte for the mask, four more where a kernel widens it."""
        return max(1, self.mask_bytes // (5 * max(keys, 1)))


def free_bytes(device: torch.device) -> int:
    """Memory that can still be had on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return UNKNOWN_FREE
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), UNKNOWN_FREE)


def find_budget(config: Any, device: torch.device, item_size: int, *, most: int | None = None) -> Budget:
    """A budget from the memory that is free now.

    Args:
        config: the model's (text) config.
        device: where it runs.
        item_size: bytes of one activation.
        most: a bound on the tokens of any pass, asked for by the user.
    """
    free = free_bytes(device)
    shape = _shape(config)
    # A token in flight: residual, normed, query, key, value, attention output; gate, up and their product.
    activation = item_size * (6 * shape.hidden + 3 * shape.inner)
    kept = item_size * 2 * shape.layers * shape.key_width
    roomy = int(free * ACTIVATION_SHARE) // activation
    batch = int(free * KV_SHARE) // (kept + activation)
    bound = most or (CPU_CHUNK if device.type == "cpu" else MOST_CHUNK)
    return Budget(
        chunk=max(LEAST, min(roomy, bound)),
        pack=max(LEAST, min(roomy, most or MOST_PACK)),
        mask_bytes=max(1 << 16, min(int(free * MASK_SHARE), GIB)),
        batch=max(LEAST, min(batch, most or (CPU_BATCH if device.type == "cpu" else 4 * MOST_CHUNK))),
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    inner: int
    layers: int
    key_width: int


def _shape(config: Any) -> _Shape:
    """A model's sizes; a config that lacks one gets a common guess, which halving on failure corrects."""

    def read(name: str, guess: int) -> int:
        return size_of(config, name, guess)

    hidden = read("hidden_size", 1024)
    heads = read("num_attention_heads", 16)
    width = read("head_dim", max(1, hidden // heads))
    key_width = read("num_key_value_heads", heads) * width
    return _Shape(hidden, read("intermediate_size", 4 * hidden), read("num_hidden_layers", 12), key_width)


def size_of(config: Any, name: str, guess: int) -> int:
    """A size a config names, the largest of its layers where they differ."""
    try:
        value = getattr(config, name, None)
    except RuntimeError:  # transformers' answer to a value that differs by layer
        value = max(getattr(layer, name, None) or 0 for layer in config.per_layer_config)
    return value if isinstance(value, int) and value > 0 else guess


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the GPU or on the CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "out of memory" in text.lower())


def release_unused() -> None:
    """Gives cached blocks back to the GPU, so that a smaller attempt finds them."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
