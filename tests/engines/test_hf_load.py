from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hf_models import save_model

from evalsuite.engines.hf import load
from evalsuite.engines.hf.checkpoint.config import model_length
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
        ({"dtyp": "float32"}, "unknown option 'dtyp'; did you mean dtype?"),
        ({"dtype": "int8"}, "option dtype='int8' is malformed; it takes one of auto"),
        ({"share": "perhaps"}, "it takes yes or no"),
        ({"batch_tokens": "-4"}, "it takes a whole number from 1"),
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


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **changes}))


def test_a_config_of_fewer_layers_than_the_weights_hold_is_said_in_the_record(folder: Path) -> None:
    assert load(str(folder), {}).info.notes == ()
    _edit(folder / "config.json", num_hidden_layers=1)
    (note,) = load(str(folder), {}).info.notes
    assert "leaves 9 of 21 tensors of the weights unread (first: model.layers.1." in note


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{", "generation_config.json: cannot be read"),
        ("[" * 100_000, "generation_config.json: cannot be read"),
        ('{"eos_token_id": 1, "eos_token_id": 2}', "'eos_token_id' stands there twice"),
        ("[]", "generation_config.json: must be a JSON object"),
        ('{"eos_token_id": "</s>"}', "eos_token_id must be a token id or a list of them, it is '</s>'"),
        ('{"eos_token_id": [1, null]}', "eos_token_id must be a token id"),
        ('{"eos_token_id": true}', "eos_token_id must be a token id"),
    ],
)
def test_a_broken_generation_config_is_refused(folder: Path, content: str, line: str) -> None:
    (folder / "generation_config.json").write_text(content)
    assert line in _refused(folder)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{", "index.json: cannot be read"),
        ("[1]", "index.json: must be a JSON object"),
        ("{}", "weight_map must map"),
        ('{"weight_map": {"a": 5}}', "weight_map must map"),
        ('{"weight_map": {"a": "../model.safetensors"}}', "index.json: names '../model.safetensors'"),
        ('{"weight_map": {"a": "config.json"}}', "index.json: names 'config.json'"),
    ],
)
def test_a_malformed_index_is_refused(folder: Path, content: str, line: str) -> None:
    (folder / "model.safetensors.index.json").write_text(content)
    assert line in _refused(folder)


def test_weights_called_otherwise_than_transformers_looks_for_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    assert "no model.safetensors and no model.safetensors.index.json" in _refused(folder)


def test_an_adapters_folder_never_loads_the_model_it_names(folder: Path, saved: Path) -> None:
    _edit(folder / "adapter_config.json", base_model_name_or_path=str(saved), peft_type="LORA")
    assert "an adapter" in _refused(folder)


def test_shapes_that_differ_are_named(folder: Path) -> None:
    _edit(folder / "config.json", intermediate_size=95)
    line = _refused(folder)
    assert "6 have another shape than config.json says" in line
    assert "model.layers.0.mlp.down_proj.weight, [48, 96] in the files, [48, 95] in the model" in line


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"hidden_size": 8192, "intermediate_size": 32768, "head_dim": 128}, "config.json describes"),
        ({"vocab_size": 10**8}, "model.embed_tokens.weight is [300, 48], config.json makes it [100000000, 48]"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers=1e+09, the weights are 21 tensors"),
        ({"text_config": {"num_hidden_layers": 10**9}}, "num_hidden_layers=1e+09"),
        ({"num_hidden_layers": 0}, "num_hidden_layers=0"),
        ({"max_position_embeddings": 0}, "the model's length 0 tokens"),
        ({"max_position_embeddings": -4096}, "the model's length -4096 tokens"),
        ({"transformers_weights": "other.safetensors"}, "names weights of its own"),
    ],
)
def test_a_config_the_weights_cannot_be_of_is_refused_before_they_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], line: str
) -> None:
    from transformers import LlamaForCausalLM

    monkeypatch.setattr(LlamaForCausalLM, "from_pretrained", lambda *_, **__: pytest.fail("the weights were read"))
    _edit(folder / "config.json", **changes)
    assert line in _refused(folder)


def test_a_bare_config_beside_small_weights_allocates_nothing_of_its_size(folder: Path) -> None:
    import resource

    (folder / "config.json").write_text('{"model_type": "llama"}')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "config.json describes 6.74e+09 weights, the safetensors hold" in _refused(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def test_weights_of_whole_numbers_are_refused(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"].astype("int32")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "tensor model.norm.weight is of type I32" in _refused(folder)


def test_a_broken_config_is_not_called_a_broken_tokenizer(folder: Path) -> None:
    from evalsuite.tokenizers import load_tokenizer

    layers = '{"model_type": "llama", "num_hidden_layers": "two"}'
    for content, said in (("{", "config.json: cannot be read"), (layers, "config.json cannot be loaded")):
        (folder / "config.json").write_text(content)
        with pytest.raises(UsageError, match=said) as caught:
            load_tokenizer(str(folder))
        assert "tokenizer files" not in str(caught.value)
        assert said in _refused(folder)


def test_a_tokenizer_of_more_tokens_than_the_model_is_said_in_the_record(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"].update({f"more{number}": number for number in range(258, 305)})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (note,) = load(str(folder), {}).info.notes
    assert "5 tokens more than the 300 the model knows" in note
