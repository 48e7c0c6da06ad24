"""A checkpoint's config.json and generation_config.json, checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalsuite.engines.hf.options import HFOptions
from evalsuite.errors import UsageError
from evalsuite.tokenizers.files import one_line, read_object
from evalsuite.types import Json

LENGTH_NAMES = (
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "max_seq_len",
    "seq_length",
    "n_ctx",
)
UNSCALED_ROPE = ("default", "llama3", "longrope", "su", "proportional")
"""Kinds of RoPE whose config already speaks of the extended length."""
LAYER_NAMES = (
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "encoder_layers",
    "decoder_layers",
    "num_encoder_layers",
    "num_decoder_layers",
)
LONGEST = 10**9
"""No model takes more tokens than this."""


def read_config(folder: Path, name: str, options: HFOptions, tensors: int) -> Any:
    """The config of a checkpoint.

    Args:
        folder: where it lies.
        name: what the user calls the model.
        options: how it is to be loaded.
        tensors: how many its weights hold.

    Raises:
        UsageError: it is no config, of no model that is known, or of one that the weights cannot be.
    """
    from transformers import AutoConfig

    raw = read_object(folder / "config.json")
    if "transformers_weights" in raw:
        raise UsageError(f"{name}: config.json names weights of its own (transformers_weights); save the model again")
    check_layers(raw, name, tensors)
    check_generation_config(folder)
    with loading_errors(f"{name}: config.json"):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=options.trust_remote_code)
        text = config.get_text_config(decoder=True)
        length, window = model_length(text), getattr(text, "sliding_window", None)
    if isinstance(window, int) and window <= 0:
        raise UsageError(f"{name}: config.json says sliding_window={window}; it must be a number of tokens, or null")
    if length is not None and not 0 < length <= LONGEST:
        raise UsageError(f"{name}: config.json makes the model's length {length} tokens; give the one it was made for")
    return config


def check_layers(raw: Mapping[str, Json], name: str, tensors: int) -> None:
    """Refuses more layers than there are tensors, and none: a list of so many is made before weights are looked at.

    Raises:
        UsageError: such a number.
    """
    for key, value in raw.items():
        if isinstance(value, dict):
            check_layers(value, name, tensors)
        elif key in LAYER_NAMES and isinstance(value, int) and not 0 < value <= tensors:
            raise UsageError(f"{name}: config.json says {key}={value:.6g}, the weights are {tensors} tensors in all")


def check_generation_config(folder: Path) -> None:
    """Refuses a generation config that is broken: transformers goes on without, and its end tokens decide answers.

    Raises:
        UsageError: the file is no JSON object, or its end tokens are no token ids.
    """
    path = folder / "generation_config.json"
    if not path.is_file():
        return
    ends = read_object(path).get("eos_token_id")
    if not all(type(end) is int for end in (ends if isinstance(ends, list) else [] if ends is None else [ends])):
        raise UsageError(f"{path}: eos_token_id must be a token id or a list of them, it is {str(ends)[:60]!r}")


@contextmanager
def loading_errors(where: str) -> Iterator[None]:
    """Turns whatever a library raises over a broken file into one line."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{where} cannot be loaded: {one_line(error)}") from error


def model_length(config: Any) -> int | None:
    """Tokens of prompt and answer the model was made for; None where its config names no bound.

    Linear, dynamic and YaRN RoPE scaling multiply the original length, as vLLM counts it
    (vllm/config/model.py, `_get_and_verify_max_len`).
    """
    found = [value for name in LENGTH_NAMES if isinstance(value := getattr(config, name, None), int)]
    if not found:
        return None
    rope = getattr(config, "rope_parameters", None) or {}
    kind = rope.get("rope_type", "default")
    if kind in UNSCALED_ROPE or not isinstance(rope.get("factor"), (int, float)):
        return min(found)
    original = rope.get("original_max_position_embeddings") if kind == "yarn" else None
    return int((original or min(found)) * rope["factor"])
