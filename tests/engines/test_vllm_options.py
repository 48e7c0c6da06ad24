"""Options reach vLLM typed, wrong ones are one clear line, and the identity is content, never a path."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_checkpoint

from evalsuite.engines.vllm import options
from evalsuite.engines.vllm.options import settings
from evalsuite.errors import UsageError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint.save(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def _as_if_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "find_spec", lambda _: object())


def test_options_are_converted_and_overrides_nested(checkpoint: Path) -> None:
    given = {
        "kv_cache_memory_bytes": "1.5G",
        "enforce_eager": "true",
        "tensor_parallel_size": "2",
        "hf_overrides.rope_parameters.rope_theta": "500000",
        "hf_overrides.rope_parameters.rope_type": "default",
    }
    start = settings(str(checkpoint), given, 2048).start
    assert start.arguments == {
        "model": str(checkpoint),
        "enable_prefix_caching": True,
        "kv_cache_memory_bytes": 3 << 29,
        "enforce_eager": True,
        "tensor_parallel_size": 2,
        "hf_overrides": {"rope_parameters": {"rope_theta": 500000, "rope_type": "default"}},
        "max_model_len": 2048,
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kv_cache_memory": "1G"}, "did you mean kv_cache_memory_bytes"),
        ({"max_num_seqs": "many"}, "max_num_seqs='many' is malformed"),
        ({"enforce_eager": "maybe"}, "enforce_eager='maybe' is malformed; it takes yes or no"),
        ({"kv_cache_memory_bytes": ""}, "kv_cache_memory_bytes='' is malformed"),
    ],
)
def test_a_wrong_option_is_one_clear_line(checkpoint: Path, given: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        settings(str(checkpoint), given, None)


def test_without_vllm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"evalsuite\[vllm\]"):
        settings("m", {}, None)


def test_a_missing_checkpoint_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match="does not exist"):
        settings("./no-such-folder", {}, None).start  # noqa: B018 - the property looks


def test_the_same_checkpoint_has_the_same_identity_here_and_with_transformers(checkpoint: Path) -> None:
    from evalsuite.engines.hf import load

    theirs = load(str(checkpoint), {"dtype": "float32", "device": "cpu"})
    ours = settings(str(checkpoint), {"kv_cache_memory_bytes": "1G"}, None).identity("float32")
    assert ours == theirs.info.model
    assert str(checkpoint) not in repr(ours)


def test_what_changes_results_changes_the_identity(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    variants = [{}, {"quantization": "fp8"}, {"hf_overrides.rope_theta": "1"}, {"lora": str(tmp_path)}]
    hashes = {settings(str(checkpoint), given, None).identity("float32").hash for given in variants}
    assert len(hashes) == len(variants)
    assert settings(str(checkpoint), {}, None).identity("bfloat16").hash not in hashes
