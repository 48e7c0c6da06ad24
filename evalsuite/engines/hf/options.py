"""The options of ``--model hf:NAME,key=value``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evalsuite.engines._options import Kinds, one_of, positive, read_options, switch

DTYPES = ("auto", "float32", "bfloat16", "float16")
KINDS: Kinds = {
    "revision": str,
    "dtype": one_of(*DTYPES),
    "device": str,
    "device_map": str,
    "attn": str,
    "trust_remote_code": switch,
    "share": switch,
    "batch_tokens": positive,
}


@dataclass(frozen=True, slots=True)
class HFOptions:
    """How a model is loaded and run."""

    revision: str | None = None
    """Commit, tag or branch on the hub."""
    dtype: str = "auto"
    """float32, bfloat16, float16; auto is float32 on a CPU and a half type on a GPU."""
    device: str | None = None
    """cpu, cuda, cuda:1...; None takes the GPU where there is one."""
    device_map: str | None = None
    """auto spreads a large model over several GPUs (accelerate)."""
    attn: str | None = None
    """sdpa, eager, flash_attention_2; None takes the library's choice."""
    trust_remote_code: bool = False
    """Run the model's own Python code."""
    share: bool = True
    """Compute what requests have in common once; off computes every request by itself."""
    batch_tokens: int | None = None
    """Most tokens of one pass; None finds out from free memory."""


def parse_options(options: Mapping[str, str]) -> HFOptions:
    """Reads the options of one model.

    Raises:
        UsageError: an unknown option, or a value it cannot have.
    """
    found, _ = read_options("hf", options, KINDS)
    return HFOptions(**found)
