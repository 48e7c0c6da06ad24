from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hf_models import save_model

from evalsuite.engines.hf import load
from evalsuite.engines.hf.loading import model_length
from evalsuite.errors import UsageError


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def _refused(folder: Path, **options: str) -> str:
    with pytest.raises(UsageError) as caught:
        load(str(folder), options)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_pickle_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "only pickle weights (pytorch_model.bin)" in _refused(folder)


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", None])
def test_broken_safetensors_are_named(folder: Path, content: bytes | None) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100] if content is None else content)
    assert "model.safetensors: broken safetensors file" in _refused(folder)


def test_a_part_named_in_the_index_must_be_there(folder: Path) -> None:
    index = {"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-00002-of-00002.safetensors is named" in _refused(folder)


def test_a_folder_without_weights_config_or_tokenizer_says_which(folder: Path) -> None:
    for name, line in (("tokenizer", "no tokenizer files"), ("model", "no weights"), ("config", "no config.json")):
        for file in folder.glob(f"{name}*"):
            file.unlink()
        assert line in _refused(folder)


def test_weights_that_would_be_random_are_refused(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "first: model.norm.weight" in _refused(folder)


def test_an_unknown_architecture_is_one_line(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "no-such-model", "architectures": []}))
    assert "cannot be loaded" in _refused(folder)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"dtyp": "float32"}, "did you mean 'dtype'"),
        ({"dtype": "int8"}, "dtype=int8; it can be"),
        ({"share": "perhaps"}, "say yes or no"),
        ({"batch_tokens": "-4"}, "must be a number of tokens"),
        ({"device": "cuda:77"}, "device=cuda:77 cannot be used"),
        ({"attn": "flash_attention_2"}, "cannot be loaded"),
    ],
)
def test_a_wrong_option_is_one_line(saved: Path, options: dict[str, str], line: str) -> None:
    assert line in _refused(saved, **options)


def test_the_identity_is_of_content_and_result_changing_options(folder: Path, saved: Path) -> None:
    first, copy = load(str(saved), {}).info.model, load(str(folder), {}).info.model
    assert first.hash == copy.hash
    assert load(str(saved), {"batch_tokens": "64", "share": "off"}).info.model.hash == first.hash
    half = load(str(saved), {"dtype": "bfloat16"}).info.model
    assert half.hash != first.hash
    assert half.options == {"dtype": "bfloat16"}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_file_overwritten_in_place_changes_the_identity(folder: Path, name: str) -> None:
    before = load(str(folder), {}).info.model.hash
    file = folder / name
    status = file.stat()
    content = bytearray(file.read_bytes())
    if name == "model.safetensors":
        content[-1] ^= 1
    else:
        content += b"\n"
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert load(str(folder), {}).info.model.hash != before


def test_a_models_own_generation_defaults_do_not_colour_greedy_decoding(folder: Path) -> None:
    from hf_models import answers, document_requests

    requests = [document_requests(1, 40, 3)]
    plain = list(load(str(folder), {"share": "off"}).complete(requests))
    defaults = {"repetition_penalty": 5.0, "do_sample": True, "temperature": 3.0, "eos_token_id": 1}
    (folder / "generation_config.json").write_text(json.dumps(defaults))
    assert answers(list(load(str(folder), {"share": "off"}).complete(requests))) == answers(plain)


@pytest.mark.parametrize(
    ("changes", "length"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}, 8192),
        (
            {
                "max_position_embeddings": 8192,
                "rope_parameters": {
                    "rope_type": "llama3",
                    "factor": 8.0,
                    "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 2048,
                    "rope_theta": 5e5,
                },
            },
            8192,
        ),
        (
            {
                "rope_parameters": {
                    "rope_type": "yarn",
                    "factor": 4.0,
                    "original_max_position_embeddings": 1024,
                    "rope_theta": 1e4,
                }
            },
            4096,
        ),
    ],
)
def test_the_models_length_comes_from_its_config(changes: dict[str, object], length: int) -> None:
    from transformers import LlamaConfig

    assert model_length(LlamaConfig(**{"max_position_embeddings": 2048, **changes})) == length
