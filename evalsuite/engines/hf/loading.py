"""From a folder of safetensors to a model on its device, with every silent default refused or named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from evalsuite.engines.hf.options import HFOptions
from evalsuite.errors import UsageError

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


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to run."""

    model: Any
    config: Any
    """The text part of its config."""
    device: torch.device
    dtype: torch.dtype
    end_ids: frozenset[int]
    """End tokens its generation config names."""


def load_model(folder: Path, name: str, options: HFOptions) -> Loaded:
    """Loads weights from a folder of safetensors.

    Raises:
        UsageError: the architecture, kernel or device cannot be had, or weights are missing from the files.
    """
    import transformers

    config = _config(folder, name, options)
    kind = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM"
    device = _device(options)
    dtype = _dtype(options, config, device)
    attn = options.attn or ("eager" if caps_attention(config) else None)
    extra: dict[str, Any] = {"attn_implementation": attn} if attn else {}
    if options.device_map:
        extra["device_map"] = options.device_map
    with _quiet(), _loading_errors(name):
        model, report = getattr(transformers, kind).from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            trust_remote_code=options.trust_remote_code,
            **extra,
        )
        _check_complete(report, name)
        if not options.device_map:
            model.to(device)
    model.eval()
    ends = _end_ids(model.generation_config)
    # A model's own generation defaults (penalties, temperatures) must not colour greedy decoding.
    model.generation_config = transformers.GenerationConfig(
        pad_token_id=0, decoder_start_token_id=model.generation_config.decoder_start_token_id
    )
    text = model.config.get_text_config(decoder=True)
    return Loaded(model, text, model.get_input_embeddings().weight.device, dtype, ends)


def _config(folder: Path, name: str, options: HFOptions) -> Any:
    from transformers import AutoConfig

    with _loading_errors(name):
        return AutoConfig.from_pretrained(folder, trust_remote_code=options.trust_remote_code)


def _device(options: HFOptions) -> torch.device:
    asked = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(asked)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"hf: device={asked} cannot be used: {str(error).splitlines()[0]}") from None
    return device


def caps_attention(config: Any) -> bool:
    """Whether attention scores are capped softly (Gemma 2): transformers' sdpa leaves that out without a word."""
    return bool(getattr(config.get_text_config(decoder=True), "attn_logit_softcapping", None))


def _dtype(options: HFOptions, config: Any, device: torch.device) -> torch.dtype:
    named = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if options.dtype != "auto":
        return named[options.dtype]
    if device.type == "cpu":
        return torch.float32
    return torch.float16 if config.dtype == torch.float16 else torch.bfloat16


@contextmanager
def _quiet() -> Iterator[None]:
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def _loading_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (ImportError, KeyError, OSError, TypeError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UsageError(f"{name}: cannot be loaded: {reason}") from error


def _check_complete(report: dict[str, Any], name: str) -> None:
    missing = sorted(map(str, report.get("missing_keys", ())))
    mismatched = sorted(str(entry[0]) for entry in report.get("mismatched_keys", ()))
    if missing or mismatched:
        which = (missing or mismatched)[0]
        raise UsageError(
            f"{name}: {len(missing)} weights are missing and {len(mismatched)} have another shape than config.json "
            f"says (first: {which}); they would be random, so nothing is run"
        )


def _end_ids(generation_config: Any) -> frozenset[int]:
    ends = generation_config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset({int(ends)} if isinstance(ends, int) else map(int, ends))


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
