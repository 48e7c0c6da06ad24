"""What a config describes against what the safetensors' headers hold, before anything of that size is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch

from evalsuite.engines.hf.checkpoint.config import loading_errors
from evalsuite.errors import UsageError

SLACK = 2
"""A model this many times as large as its weights is not theirs; less is named tensor by tensor when it is loaded."""
SMALL = 1 << 20
"""Weights too few to matter."""
PACKED_BITS = 16
"""Most weights a byte of a quantized checkpoint may stand for."""
MOST_BUFFER_BYTES = 1 << 30
UNLEARNED = ("inv_freq", "attn.bias", "masked_bias", "position_ids")
"""Ends of names that older checkpoints hold and models compute."""


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor in a file."""

    shape: tuple[int, ...]
    dtype: str
    """As safetensors names it: F32, BF16, I64..."""


def read_headers(files: Sequence[Path]) -> dict[str, Held]:
    """Names, shapes and types of all tensors, none of them read."""
    from safetensors import safe_open

    found = {}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118  # not a dict
                piece = opened.get_slice(name)
                found[name] = Held(tuple(piece.get_shape()), str(piece.get_dtype()))
    return found


def check_fits(config: Any, auto: Any, name: str, held: Mapping[str, Held], *, trust_remote_code: bool) -> None:
    """Compares a config with the weights beside it, on the meta device.

    Raises:
        UsageError: the model it describes is far larger than the weights, or made of another type.
    """
    with loading_errors(f"{name}: config.json"), torch.device("meta"):
        model = auto.from_config(deepcopy(config), trust_remote_code=trust_remote_code)
    quantized = bool(getattr(config, "quantization_config", None))
    stored = sum(prod(tensor.shape) for tensor in held.values())
    described = sum(parameter.numel() for parameter in model.parameters())
    if described > max(SLACK * stored * (PACKED_BITS if quantized else 1), SMALL):
        raise UsageError(
            f"{name}: config.json describes {described:.3g} weights, the safetensors hold {stored:.3g}"
            f"{_first_difference(model, held)}; it is not the config of these weights"
        )
    buffers = sum(buffer.nbytes for buffer in model.buffers())
    if buffers > max(MOST_BUFFER_BYTES, 4 * stored):
        raise UsageError(f"{name}: config.json asks for {buffers / 2**30:.3g} GiB of tables besides the weights")
    if not quantized:
        _check_types(model, name, held)


def _first_difference(model: Any, held: Mapping[str, Held]) -> str:
    for key, wanted in _same_names(model, held):
        if wanted.shape != held[key].shape:
            return f" (first: {key} is {list(held[key].shape)}, config.json makes it {list(wanted.shape)})"
    return ""


def _check_types(model: Any, name: str, held: Mapping[str, Held]) -> None:
    for key, wanted in _same_names(model, held):
        if wanted.is_floating_point() and held[key].dtype.startswith(("I", "U", "BOOL")):
            raise UsageError(f"{name}: tensor {key} is of type {held[key].dtype}, a weight is a floating-point number")


def _same_names(model: Any, held: Mapping[str, Held]) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors that files and model call the same, with or without the body's name in front."""
    body = f"{model.base_model_prefix}."
    for key, wanted in model.state_dict().items():
        for called in (key, key.removeprefix(body)):
            if called in held:
                yield called, wanted
                break


def unread_note(unexpected: Sequence[str], held: Mapping[str, Held]) -> str:
    """What to say of tensors that the config's model has no place for; empty where there are none."""
    unread = sorted(key for key in unexpected if not key.endswith(UNLEARNED))
    if not unread:
        return ""
    return (
        f"the model of config.json leaves {len(unread)} of {len(held)} tensors of the weights unread "
        f"(first: {unread[0]}); is it the config of these weights?"
    )
