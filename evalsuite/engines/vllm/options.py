"""The options of ``vllm:`` as typed arguments, and what they make of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evalsuite.engines._options import Kinds, read_options, seconds, size, switch
from evalsuite.engines.vllm.wire import Start
from evalsuite.errors import UsageError, missing_package
from evalsuite.interfaces import Tokenizer
from evalsuite.records import ModelIdentity
from evalsuite.tokenizers import load_tokenizer
from evalsuite.tokenizers.files import file_digest

WATCHDOG = 600.0
"""Seconds without a finished step after which an engine counts as hung."""

PASSED: Kinds = {
    "block_size": int,
    "distributed_executor_backend": str,
    "dtype": str,
    "enable_chunked_prefill": switch,
    "enable_prefix_caching": switch,
    "enforce_eager": switch,
    "gpu_memory_utilization": float,
    "kv_cache_dtype": str,
    "kv_cache_memory_bytes": size,
    "load_format": str,
    "max_lora_rank": int,
    "max_num_batched_tokens": int,
    "max_num_seqs": int,
    "pipeline_parallel_size": int,
    "quantization": str,
    "tensor_parallel_size": int,
    "trust_remote_code": switch,
}
"""Options handed to ``vllm.LLM`` under their own names."""
OWN: Kinds = {"lora": str, "revision": str, "tokenizer": str, "watchdog": seconds}
OVERRIDES = "hf_overrides"
"""``hf_overrides.rope_parameters.rope_theta=500000``: a field of the model's config."""
CHANGES_RESULTS = ("kv_cache_dtype", "quantization")


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
        """Where the checkpoint lies, its weights whole."""
        # Imported when used: the package brings torch along.
        from evalsuite.engines.hf.checkpoint.weights import fetch_model, weight_files

        folder = fetch_model(self.name, self.options.get("revision"), code=self._trusts_code)
        weight_files(folder, self.name)
        return folder

    @property
    def _trusts_code(self) -> bool:
        return bool(self.arguments.get("trust_remote_code"))

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
        where = self.options.get("tokenizer", str(self.folder))
        return load_tokenizer(where, trust_remote_code=self._trusts_code)

    def identity(self, dtype: str) -> ModelIdentity:
        """The checkpoint by content, with what changes results; the same as other engines give the same model.

        Args:
            dtype: the one the model was loaded in.
        """
        from evalsuite.engines.hf.checkpoint.weights import model_hash, revision_of

        changing = {"dtype": dtype}
        if self._trusts_code:
            changing["trust_remote_code"] = "yes"
        given = self.options.items()
        changing |= {key: value for key, value in given if key in CHANGES_RESULTS or key.startswith(f"{OVERRIDES}.")}
        if "lora" in self.options:
            changing["lora"] = _adapter_digest(Path(self.options["lora"]))
        shown = Path(self.name).name if Path(self.name).expanduser().is_dir() else self.name
        return ModelIdentity(shown, model_hash(self.folder, changing), revision_of(self.folder, self.name), changing)


def settings(name: str, options: Mapping[str, str], max_model_len: int | None) -> Settings:
    """Reads the options.

    Raises:
        UsageError: vLLM is not installed, or an option is unknown or malformed.
    """
    if find_spec("vllm") is None:
        raise UsageError(f"{missing_package('vllm', '--model vllm:', 'vllm')} (without a GPU: docs/engines.md)")
    given, nested = read_options("vllm", options, {**PASSED, **OWN}, nested=(OVERRIDES,))
    arguments = {key: value for key, value in given.items() if key in PASSED}
    return Settings(name, options, arguments, nested[OVERRIDES], given.get("watchdog", WATCHDOG), max_model_len)


def _adapter_digest(folder: Path) -> str:
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        raise UsageError(f"vllm: lora={folder}: no adapter_model.safetensors in it")
    return file_digest(file)
