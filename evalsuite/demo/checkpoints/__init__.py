"""The two trained checkpoints, shipped in the package, each with its tokenizer and model card."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def checkpoint(name: str) -> Path:
    """The folder of checkpoint `short` or `long`, for `transformers` or `--model hf:<folder>`.

    `short` was trained on up to 512 tokens (RoPE base 10,000), `long` continues from it on up to 4,096 (base 500,000);
    both configs declare 4,096 positions.
    """
    return Path(str(files(__name__) / name))
