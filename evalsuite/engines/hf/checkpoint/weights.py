"""A model's files: only safetensors, whole, and identified by their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.tokenizers.files import TOKENIZER_PATTERNS, folder_digest, model_folder, read_object, tokenizer_files

CONFIG_PATTERNS = ("config.json", "generation_config.json")
WEIGHT_PATTERNS = ("*.safetensors", "*.safetensors.index.json")
SUFFIX = ".safetensors"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
ADAPTER = "adapter_config.json"
"""transformers would load another model, the one this file names."""
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
    if (folder / ADAPTER).is_file():
        raise UsageError(f"{name}: an adapter ({ADAPTER}); merge it into its base model first (merge_and_unload)")
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
    named = {part for index in folder.glob("*.safetensors.index.json") for part in _parts(index)}
    return sorted(part for part in named if not (folder / part).is_file())


def _parts(index: Path) -> set[str]:
    """The files an index names, all of them beside it."""
    weights = read_object(index).get("weight_map")
    if not isinstance(weights, dict) or not all(isinstance(part, str) for part in weights.values()):
        raise UsageError(f"{index}: weight_map must map names of tensors to names of files; copy it again")
    outside = sorted(part for part in weights.values() if Path(part).name != part or Path(part).suffix != SUFFIX)
    if outside:
        raise UsageError(f"{index}: names {outside[0]!r}; a part must be a {SUFFIX} file beside it")
    return set(weights.values())


def loaded_files(folder: Path, name: str) -> list[Path]:
    """The files of a folder that transformers loads weights from.

    Raises:
        UsageError: none of the folder's files is called what transformers looks for.
    """
    whole, index = folder / f"model{SUFFIX}", folder / f"model{SUFFIX}.index.json"
    if whole.is_file():
        return [whole]
    if index.is_file():
        return sorted(folder / part for part in _parts(index))
    raise UsageError(f"{name}: no {whole.name} and no {index.name}; the weights must be called so")


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
