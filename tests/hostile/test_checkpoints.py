"""Checkpoints that are broken, unsafe or incomplete: one clear line, exit code 2, nothing written."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from made import cells, lines, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main

pytest.importorskip("torch", reason="needs the hf extra")

Capture = pytest.CaptureFixture[str]
Spoil = Callable[[Path], object]


class _Payload:
    """What a pickle runs when it is read."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self._mark,)


def _pickle_instead(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Payload(folder / "was-run")))


def _config(**changed: object) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))

    return spoil


def _weights(change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(change(path.read_bytes()))

    return spoil


def _without(*names: str) -> Spoil:
    return lambda folder: [(folder / name).unlink(missing_ok=True) for name in names]


SPOILED: dict[str, tuple[Spoil, str]] = {
    "pickle weights": (_pickle_instead, "safetensors"),
    "weights cut short": (_weights(lambda data: data[: len(data) // 2]), "safetensors"),
    "weights that are noise": (_weights(lambda _: b"\xff" * 4096), "safetensors"),
    "weights of no bytes": (_weights(lambda _: b""), "safetensors"),
    "no weights": (_without("model.safetensors"), "safetensors"),
    "no tokenizer": (_without("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"), "tokenizer"),
    "a broken tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer"),
    "no config": (_without("config.json"), "config"),
    "a config that is no JSON": (lambda folder: (folder / "config.json").write_text("{"), "config"),
    "a config of no model": (_config(model_type="nonesuch"), "nonesuch"),
    "layers the weights lack": (_config(num_hidden_layers=3), "layers.2"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_data(tmp_path_factory.mktemp("data"), toy_rows(2, 1, words=8))


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_checkpoint_is_refused_in_one_line(
    tiny_model: Path, data: Path, tmp_path: Path, capsys: Capture, what: str
) -> None:
    spoil, said = SPOILED[what]
    model = Path(copytree(tiny_model, tmp_path / "spoiled"))
    spoil(model)
    assert main(toy_run(tmp_path / "out", data, model=f"hf:{model}")) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("evalsuite:")]
    assert len(told) == 1
    assert said in told[0]
    assert not (tmp_path / "out").exists()
    assert not (model / "was-run").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [("dtpe=float32", "dtype"), ("dtype=float31", "float31"), ("device=moon", "moon")],
)
def test_a_wrong_model_option_is_named(
    tiny_model: Path, data: Path, tmp_path: Path, capsys: Capture, option: str, said: str
) -> None:
    assert main(toy_run(tmp_path / "out", data, model=f"hf:{tiny_model},{option}")) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("evalsuite:")]
    assert len(told) == 1
    assert said in told[0]
    assert not (tmp_path / "out").exists()


def test_a_model_of_two_places_with_the_same_content_is_the_same_model(
    tiny_model: Path, data: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    assert main(toy_run(out, data, model=f"hf:{tiny_model}")) == 0
    before = (out / "completions.jsonl").read_bytes()
    moved = Path(copytree(tiny_model, tmp_path / "moved"))
    assert main(toy_run(out, data, model=f"hf:{moved}")) == 0
    assert (out / "completions.jsonl").read_bytes() == before
    _config(rope_theta=500.0)(moved)
    assert main(toy_run(out, data, model=f"hf:{moved}")) == 2
    assert "other settings: model differ" in capsys.readouterr().err


def test_a_real_model_reads_bos_once_and_every_count_adds_up(tiny_model: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(toy_run(out, data, "--max-prompt-tokens", "60", model=f"hf:{tiny_model}")) == 0
    for cell in cells(out):
        assert cell["asked"] == cell["scored"] + cell["skipped"] + cell["unscorable"] + cell["failed"] == 2
    for request in lines(out / "requests.jsonl"):
        assert request["cut"]["tokens_kept"] <= 60
    for line in lines(out / "completions.jsonl"):
        assert len(line["completion"]["token_ids"]) <= 32
