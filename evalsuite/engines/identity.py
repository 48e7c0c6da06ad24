"""What a local checkpoint is called and hashes to, the same whichever engine loads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.records import ModelIdentity
from evalsuite.tokenizers.files import TOKENIZER_PATTERNS, folder_digest, model_folder, tokenizer_files

WEIGHT_PATTERNS = ("*.safetensors", "*.safetensors.index.json")
CONFIG_PATTERNS = ("config.json", "generation_config.json")


def checkpoint_folder(path_or_id: str, *, revision: str | None = None) -> Path:
    """The local folder of a model with its weights.

    Raises:
        UsageError: no such folder or hub model, or no safetensors in it.
    """
    wanted = (*WEIGHT_PATTERNS, *CONFIG_PATTERNS, *TOKENIZER_PATTERNS)
    folder = model_folder(path_or_id, wanted, revision=revision)
    if not any(folder.glob("*.safetensors")):
        raise UsageError(f"{path_or_id}: no *.safetensors in it; convert the weights (pickle files are not loaded)")
    return folder


def checkpoint_identity(
    folder: Path, name: str, *, revision: str | None = None, options: Mapping[str, str] | None = None
) -> ModelIdentity:
    """The identity of a checkpoint: content of weights, config and tokenizer, and options that change results.

    Args:
        folder: where the files lie.
        name: path or hub id; its last part is what tables show.
        revision: as asked for.
        options: load options that change results, e.g. ``{"dtype": "float32"}``; ``dtype=auto`` is left out.
    """
    found = [path for pattern in (*WEIGHT_PATTERNS, *CONFIG_PATTERNS) for path in folder.glob(pattern)]
    kept = {key: value for key, value in sorted((options or {}).items()) if (key, value) != ("dtype", "auto")}
    content = folder_digest(folder, [*found, *tokenizer_files(folder)])
    digest = sha256(json.dumps([content, kept]).encode()).hexdigest()
    return ModelIdentity(Path(name).name, digest, revision, kept)
