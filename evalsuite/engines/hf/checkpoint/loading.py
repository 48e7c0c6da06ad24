"""From a folder of safetensors to a model on its device, with every silent default refused or named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from evalsuite.engines.hf.checkpoint.config import loading_errors, read_config
from evalsuite.engines.hf.checkpoint.shapes import Held, check_fits, read_headers, unread_note
from evalsuite.engines.hf.checkpoint.weights import loaded_files
from evalsuite.engines.hf.options import HFOptions
from evalsuite.errors import UsageError


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
    notes: tuple[str, ...] = ()
    """What the record must say of how it was loaded."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A checkpoint whose config and weights go together, as far as can be told without reading the weights."""

    config: Any
    auto: Any
    """The library's class that makes such models."""
    tensors: Mapping[str, Held]


def check_model(folder: Path, name: str, options: HFOptions) -> Checked:
    """Reads a checkpoint's config and the headers of its weights.

    Raises:
        UsageError: one of them is broken, or they are not of one model.
    """
    import transformers

    tensors = read_headers(loaded_files(folder, name))
    config = read_config(folder, name, options, len(tensors))
    auto = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    with _quiet():
        check_fits(config, auto, name, tensors, trust_remote_code=options.trust_remote_code)
    return Checked(config, auto, tensors)


def load_model(folder: Path, name: str, options: HFOptions, checked: Checked) -> Loaded:
    """Loads weights from a folder of safetensors.

    Raises:
        UsageError: the architecture, kernel or device cannot be had, or weights are missing from the files.
    """
    import transformers

    config = checked.config
    device = _device(options)
    dtype = _dtype(options, config, device)
    attn = options.attn or ("eager" if caps_attention(config) else None)
    extra: dict[str, Any] = {"attn_implementation": attn} if attn else {}
    if options.device_map:
        extra["device_map"] = options.device_map
    with _quiet(), loading_errors(name):
        model, report = checked.auto.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            # Otherwise a shape that differs is raised; the report names it, and then nothing is run.
            ignore_mismatched_sizes=True,
            trust_remote_code=options.trust_remote_code,
            **extra,
        )
        _check_complete(report, name)
        if not options.device_map:
            model.to(device)
    model.eval()
    note = unread_note(report.get("unexpected_keys", ()), checked.tensors)
    with loading_errors(name):
        ends = _end_ids(model.generation_config)
    # A model's own generation defaults (penalties, temperatures) must not colour greedy decoding.
    model.generation_config = transformers.GenerationConfig(
        pad_token_id=0, decoder_start_token_id=model.generation_config.decoder_start_token_id
    )
    text = model.config.get_text_config(decoder=True)
    device = model.get_input_embeddings().weight.device
    return Loaded(model, text, device, dtype, ends, (note,) if note else ())


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

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    # What it would warn of is checked here and said in one line.
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


def _check_complete(report: dict[str, Any], name: str) -> None:
    missing = sorted(map(str, report.get("missing_keys", ())))
    mismatched = sorted(
        f"{key}, {list(held)} in the files, {list(made)} in the model"
        for key, held, made in report.get("mismatched_keys", ())
    )
    if missing or mismatched:
        which = (mismatched or missing)[0]
        raise UsageError(
            f"{name}: {len(missing)} weights are missing and {len(mismatched)} have another shape than config.json "
            f"says (first: {which}); they would be random, so nothing is run"
        )


def _end_ids(generation_config: Any) -> frozenset[int]:
    ends = generation_config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset({int(ends)} if isinstance(ends, int) else map(int, ends))
