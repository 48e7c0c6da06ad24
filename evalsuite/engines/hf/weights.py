"""A model's files: only safetensors, whole, and identified by their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.tokenizers.files import TOKENIZER_PATTERNS, folder_digest, model_folder, tokenizer_files

CONFIG_PATTERNS = ("config.json", "generation_config.json")
WEIGHT_PATTERNS = ("*.safetensors", "*.safetensors.index.json")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
CODE_PATTERNS = ("*.py",)


def fetch_model(name: str, revision: str | None, *, code: bool) -> Path:
    """The local folder of a model: the one given, or the hub's snapshot without pickles.

    Raises:
        UsageError: there is no such model.
    """
    patterns = (*WEIGHT_PATTERNS, *CONFIG_PATTERNS, *TOKENIZER_PATTERNS, *(CODE_PATTERNS if code else ()))
    return model_folder(name, patterns, revision=revision)


def weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files of a model, each opened once to see that it is whole.

    Raises:
        UsageError: no config, only pickles, no weights, a part missing or broken.
    """
    if not (folder / "config.json").is_file():
        raise UsageError(f"{name}: no config.json; is this a model folder?")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
        if pickles:
            raise UsageError(
                f"{name}: only pickle weights ({pickles[0]}), which can run code when read; "
                "save the model again as safetensors (model.save_pretrained(folder))"
            )
        raise UsageError(f"{name}: no weights (*.safetensors) beside config.json")
    missing = _missing_parts(folder)
    if missing:
        raise UsageError(f"{name}: {missing[0]} is named in the weights' index and not there; copy it again")
    for file in files:
        _check_whole(file)
    return files


def _missing_parts(folder: Path) -> list[str]:
    named = {
        part
        for index in folder.glob("*.safetensors.index.json")
        for part in json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values()
    }
    return sorted(part for part in named if not (folder / part).is_file())


def _check_whole(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            opened.keys()
    except (SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{file}: broken safetensors file ({reason}); copy or save it again") from None


def model_hash(folder: Path, options: Mapping[str, str]) -> str:
    """SHA-256 over weights, config and tokenizer files by content, and load options that change results."""
    files = [path for pattern in (*WEIGHT_PATTERNS, *CONFIG_PATTERNS) for path in folder.glob(pattern)]
    content = folder_digest(folder, {*files, *tokenizer_files(folder)})
    return hashlib.sha256(json.dumps([content, sorted(options.items())]).encode()).hexdigest()


def revision_of(folder: Path, name: str) -> str | None:
    """The commit of a hub snapshot, None for a folder of the user's."""
    return None if Path(name).expanduser().is_dir() else folder.name
