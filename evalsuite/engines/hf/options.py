"""The options of ``--model hf:NAME,key=value``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from evalsuite.errors import UsageError

DTYPES = ("auto", "float32", "bfloat16", "float16")
YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
KNOWN = ("revision", "dtype", "device", "device_map", "attn", "trust_remote_code", "share", "batch_tokens")


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
    unknown = [key for key in options if key not in KNOWN]
    if unknown:
        near = difflib.get_close_matches(unknown[0], KNOWN, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"hf: unknown option {unknown[0]!r}; there are: {', '.join(KNOWN)}{hint}")
    dtype = options.get("dtype", "auto")
    if dtype not in DTYPES:
        raise UsageError(f"hf: dtype={dtype}; it can be: {', '.join(DTYPES)}")
    return HFOptions(
        revision=options.get("revision"),
        dtype=dtype,
        device=options.get("device"),
        device_map=options.get("device_map"),
        attn=options.get("attn"),
        trust_remote_code=_flag(options, "trust_remote_code", default=False),
        share=_flag(options, "share", default=True),
        batch_tokens=_count(options, "batch_tokens"),
    )


def _flag(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = options.get(name)
    if value is None:
        return default
    if value.lower() not in YES | NO:
        raise UsageError(f"hf: {name}={value}; say yes or no")
    return value.lower() in YES


def _count(options: Mapping[str, str], name: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise UsageError(f"hf: {name}={value}; it must be a number of tokens")
    return int(value)
