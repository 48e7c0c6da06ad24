"""Tokenizer and limits of a checkpoint, without its weights: what planning and showing prompts need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import transformers

from evalsuite.engines.hf.checkpoint.config import model_length, read_config
from evalsuite.engines.hf.checkpoint.shapes import read_headers
from evalsuite.engines.hf.checkpoint.weights import fetch_model, loaded_files, revision_of, weight_files
from evalsuite.engines.hf.options import parse_options
from evalsuite.records import EngineInfo, ModelIdentity
from evalsuite.tokenizers import HFTokenizer, load_tokenizer


@dataclass(frozen=True, slots=True)
class HFPromptSide:
    """A checkpoint whose weights were not read."""

    info: EngineInfo
    """Its model's hash is empty: only the weights' content gives it."""
    tokenizer: HFTokenizer


def prompt_side(name: str, options: Mapping[str, str], *, max_model_len: int | None = None) -> HFPromptSide:
    """Opens a checkpoint's tokenizer and config.

    Args:
        name: a folder, or a Hugging Face model id.
        options: see ``HFOptions``.
        max_model_len: overrides what the config says.

    Raises:
        UsageError: the model or its tokenizer cannot be had, a file is broken, or an option is wrong.
    """
    asked = parse_options(options)
    folder = fetch_model(name, asked.revision, code=asked.trust_remote_code)
    weight_files(folder, name)  # a broken one is named; headers alone are read
    config = read_config(folder, name, asked, len(read_headers(loaded_files(folder, name))))
    tokenizer = load_tokenizer(str(folder), trust_remote_code=asked.trust_remote_code)
    shown = Path(name).name if Path(name).expanduser().is_dir() else name
    info = EngineInfo(
        scheme="hf",
        version=f"transformers {transformers.__version__}",
        model=ModelIdentity(shown, "", revision_of(folder, name)),
        max_model_len=max_model_len or model_length(config.get_text_config(decoder=True)),
        max_model_len_source="config" if max_model_len is None else "option",
        tokenizer=tokenizer.hash,
    )
    return HFPromptSide(info, tokenizer)
