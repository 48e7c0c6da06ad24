"""The options of ``vllm:`` as typed arguments, and what they make of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evalsuite.engines._vllm_wire import Start
from evalsuite.engines.identity import checkpoint_folder, checkpoint_identity
from evalsuite.errors import UsageError
from evalsuite.plugins import unknown
from evalsuite.protocols import Tokenizer
from evalsuite.records import ModelIdentity
from evalsuite.tokenizers import load_tokenizer
from evalsuite.tokenizers.files import file_digest

WATCHDOG = 600.0
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _size(text: str) -> int:
    """Bytes, with an optional K, M or G."""
    return int(float(text[:-1]) * SIZES[text[-1].upper()]) if text[-1].upper() in SIZES else int(text)


def _switch(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


PASSED: Mapping[str, Callable[[str], Any]] = {
    "block_size": int,
    "distributed_executor_backend": str,
    "dtype": str,
    "enable_chunked_prefill": _switch,
    "enable_prefix_caching": _switch,
    "enforce_eager": _switch,
    "gpu_memory_utilization": float,
    "kv_cache_dtype": str,
    "kv_cache_memory_bytes": _size,
    "load_format": str,
    "max_lora_rank": int,
    "max_num_batched_tokens": int,
    "max_num_seqs": int,
    "pipeline_parallel_size": int,
    "quantization": str,
    "tensor_parallel_size": int,
    "trust_remote_code": _switch,
}
"""Options handed to ``vllm.LLM`` under their own names."""
OWN = ("lora", "revision", "tokenizer", "watchdog")
OVERRIDE = "hf_overrides."
"""``hf_overrides.rope_theta=500000``: a field of the model's config; further dots go into nested ones."""
CHANGES_RESULTS = ("dtype", "kv_cache_dtype", "quantization")


@dataclass(frozen=True)
class Settings:
    """A model and how it is to be loaded."""

    name: str
    options: Mapping[str, str]
    arguments: Mapping[str, Any]
    overrides: Mapping[str, Any]
    watchdog: float
    max_model_len: int | None

    @property
    def max_model_len_source(self) -> str:
        """Where the maximum length comes from."""
        return "config" if self.max_model_len is None else "option"

    @cached_property
    def folder(self) -> Path:
        """Where the checkpoint lies."""
        return checkpoint_folder(self.name, revision=self.options.get("revision"))

    @cached_property
    def start(self) -> Start:
        """What the worker is told."""
        arguments = {"enable_prefix_caching": True, **self.arguments, "model": str(self.folder)}
        if "tokenizer" in self.options:
            arguments["tokenizer"] = self.options["tokenizer"]
        if self.overrides:
            arguments["hf_overrides"] = dict(self.overrides)
        if self.max_model_len is not None:
            arguments["max_model_len"] = self.max_model_len
        return Start(arguments, self.options.get("lora"))

    def load_tokenizer(self) -> Tokenizer:
        """The tokenizer asked for, or the checkpoint's own."""
        return load_tokenizer(
            self.options.get("tokenizer", str(self.folder)),
            trust_remote_code=bool(self.arguments.get("trust_remote_code")),
        )

    def identity(self) -> ModelIdentity:
        """The checkpoint by content, with the options that change results; an adapter by its content too."""
        changing = {
            key: value for key, value in self.options.items() if key in CHANGES_RESULTS or key.startswith(OVERRIDE)
        }
        if "lora" in self.options:
            changing["lora"] = _adapter_digest(Path(self.options["lora"]))
        return checkpoint_identity(self.folder, self.name, revision=self.options.get("revision"), options=changing)


def settings(name: str, options: Mapping[str, str], max_model_len: int | None) -> Settings:
    """Reads the options.

    Raises:
        UsageError: vLLM is not installed, or an option is unknown or malformed.
    """
    if find_spec("vllm") is None:
        raise UsageError("vllm: vLLM is not installed; pip install 'evalsuite[vllm]' (without a GPU: docs/engines.md)")
    arguments: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for key, value in options.items():
        if key.startswith(OVERRIDE):
            _nest(overrides, key.removeprefix(OVERRIDE).split("."), _plain(value))
        elif key in PASSED:
            arguments[key] = _converted(key, value)
        elif key not in OWN:
            raise UsageError(f"vllm: {unknown('option', key, [*PASSED, *OWN, 'hf_overrides.FIELD'])}")
    watchdog = float(options.get("watchdog", WATCHDOG))
    return Settings(name, options, arguments, overrides, watchdog, max_model_len)


def _converted(key: str, value: str) -> Any:
    try:
        return PASSED[key](value)
    except (ValueError, IndexError):
        raise UsageError(f"vllm: option {key}={value!r} is malformed") from None


def _plain(text: str) -> Any:
    """A number, a truth value, or the text itself."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _nest(target: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value


def _adapter_digest(folder: Path) -> str:
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        raise UsageError(f"vllm: lora={folder}: no adapter_model.safetensors in it")
    return file_digest(file)
