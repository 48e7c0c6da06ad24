"""Models that give no finite logits, and models whose positions end: every request gets an answer or says why not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hf_models import assert_equal, document_requests, ids, request, save_model
from made import TOY, cells, lines, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main
from evalsuite.engines.hf import load
from evalsuite.errors import UsageError
from evalsuite.types import Completion, Request
from evalsuite.work import Loss

POISON = 300 - 3
"""A token id no other request holds."""
WAYS = ({}, {"share": "off"}, {"attn": "eager"})
"""Split attention, ordinary batches, wide masks."""
Damage = Callable[[Path], dict[str, str]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def _change_weights(folder: Path, name: str, change: Callable[[np.ndarray], None]) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights[name])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _nan_in_a_norm(folder: Path) -> dict[str, str]:
    _change_weights(folder, "model.norm.weight", lambda norm: norm.__setitem__(3, np.nan))
    return {}


def _too_large_for_float16(folder: Path) -> dict[str, str]:
    _change_weights(folder, "lm_head.weight", lambda head: head.__imul__(1e6))
    return {"dtype": "float16"}


def _no_rotation(folder: Path) -> dict[str, str]:
    config = json.loads((folder / "config.json").read_text())
    config["rope_parameters"]["rope_theta"] = 0
    (folder / "config.json").write_text(json.dumps(config))
    return {}


def _asked() -> list[list[Request]]:
    return [document_requests(1, 60, 4), [request("short", [0, 5, 6, 7])]]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("damage", [_nan_in_a_norm, _too_large_for_float16, _no_rotation])
def test_logits_that_are_not_finite_are_failed_requests(folder: Path, damage: Damage, way: dict[str, str]) -> None:
    engine = load(str(folder), {**damage(folder), **way})
    found = list(engine.complete(_asked()))
    assert len(found) == 5
    for completion in found:
        assert "NaN or infinite" in str(completion.error)
        assert (completion.text, completion.token_ids, completion.options) == ("", (), ())
    with pytest.raises(UsageError, match="NaN or infinite"):
        engine.rolling_loss([0, *range(5, 40)])
    (loss,) = engine.complete([[replace(request("loss", [0, *range(5, 40)]), work=Loss())]])
    assert "NaN or infinite" in str(loss.error)
    assert loss.losses == ()


def test_numbers_too_large_for_one_type_are_none_for_another(folder: Path) -> None:
    _too_large_for_float16(folder)
    assert not [c.error for c in load(str(folder), {}).complete(_asked()) if c.error]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("asked_for", ["answers", "options"])
def test_one_bad_token_fails_the_requests_that_hold_it_and_no_other(
    folder: Path, way: dict[str, str], asked_for: str
) -> None:
    _change_weights(folder, "model.embed_tokens.weight", lambda table: table[POISON].fill(np.nan))
    document = [0, *ids(np.random.default_rng(1), 60)]
    options = [[5, 6], [7]] if asked_for == "options" else []
    group = [request(str(n), [*document, n + 5, 9], options=options) for n in range(4)]
    bad = request("bad", [*document, POISON, 9], options=options)
    expected = list(load(str(folder), {"share": "off", "batch_tokens": "1"}).complete([group]))
    found = list(load(str(folder), way).complete([[*group[:2], bad, *group[2:]]]))
    assert [c.key for c in found if c.error] == ["bad"]
    assert_equal([c for c in found if not c.error], expected)


def test_a_damaged_models_run_says_so_and_is_incomplete(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _nan_in_a_norm(folder)
    data, out = toy_data(tmp_path / "data", toy_rows(2, 2, words=8)), tmp_path / "out"
    assert main(toy_run(out, data, model=f"hf:{folder}")) == 3
    assert [(cell["failed"], cell["value"]) for cell in cells(out)] == [(4, None)] * 2
    assert {"NaN or infinite" in line["completion"]["error"] for line in lines(out / "completions.jsonl")} == {True}
    assert "NaN or infinite" in capsys.readouterr().err


def test_a_token_the_model_does_not_know_fails_alone(folder: Path) -> None:
    engine = load(str(folder), {})
    asked = [
        request("prompt", [0, 5, 300]),
        request("option", [0, 5], options=[[4], [4, 999]]),
        request("fine", [0, 5]),
    ]
    found = {c.key: c for c in engine.complete([asked])}
    assert "token id 300, the model knows 300" in str(found["prompt"].error)
    assert "token id 999" in str(found["option"].error)
    assert found["fine"].error is None


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_a_library_raises_over_one_request_fails_that_one(
    saved: Path, way: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaModel

    whole = LlamaModel.forward

    def forward(self: object, input_ids: object, *rest: object, **more: object) -> object:
        if (input_ids == POISON).any():  # type: ignore[attr-defined]
            raise IndexError("planted:\nout of range")
        return whole(self, input_ids, *rest, **more)

    engine = load(str(saved), way)
    monkeypatch.setattr(LlamaModel, "forward", forward)
    group = [request(str(n), [0, *range(5, 60), n + 5]) for n in range(3)]
    found = list(engine.complete([[request("bad", [0, *range(5, 60), POISON]), *group]]))
    assert {c.key: c.error for c in found if c.error} == {"bad": "IndexError: planted: out of range"}
    assert sorted(c.key for c in found) == ["0", "1", "2", "bad"]


GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 2, "max_position_embeddings": 1024}


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("gpt2"), "GPT2", **GPT2)


def _near_the_end() -> list[Request]:
    """Short answers behind long prompts among long answers behind short ones."""
    lengths = [(1010, 14), (1000, 24), (500, 520), (40, 100), (1000, 20), (990, 34)]
    random = np.random.default_rng(4)
    return [request(f"{length}+{new}", ids(random, length), new=new) for length, new in lengths]


@pytest.mark.parametrize("way", [{}, {"share": "off"}], ids=str)
def test_no_row_of_a_batch_runs_past_the_models_last_position(gpt2: Path, way: dict[str, str]) -> None:
    asked = _near_the_end()
    alone: list[Completion] = []
    single = load(str(gpt2), {"share": "off", "batch_tokens": "1"})
    for one in asked:
        alone += single.complete([[one]])
    assert not [c.error for c in alone if c.error]
    assert_equal(_sorted(load(str(gpt2), way).complete([[one] for one in asked])), _sorted(alone))


def _sorted(completions: object) -> list[Completion]:
    return sorted(completions, key=lambda c: c.key)  # type: ignore[call-overload, no-any-return]


def test_rows_with_room_for_the_longest_answer_still_go_together(gpt2: Path) -> None:
    engine = load(str(gpt2), {"share": "off"})
    fits = [request(str(n), ids(np.random.default_rng(n), 200), new=20 + n) for n in range(8)]
    list(engine.complete([fits]))
    assert engine.counters.passes < 40


def test_more_positions_than_were_learned_cannot_be_asked_for(gpt2: Path, saved: Path) -> None:
    with pytest.raises(UsageError, match="positions are learned, 1024 of them"):
        load(str(gpt2), {}, max_model_len=2048)
    assert load(str(gpt2), {}, max_model_len=512).info.max_model_len == 512
    assert load(str(saved), {}, max_model_len=8192).info.max_model_len == 8192


def test_a_model_with_learned_positions_finishes_its_run(gpt2: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    rows = [{**row, "text": ("abcdefg " * 256)[: 512 * (at + 1)]} for at, row in enumerate(toy_rows(4, 1))]
    shutil.copytree(toy_data(data, rows) / "toy", data / "toy-long")
    more = tmp_path / "more"
    _task_of_long_answers(more)
    arguments = toy_run(tmp_path / "out", data, "--include-path", more, model=f"hf:{gpt2},share=off")
    arguments[arguments.index("toy")] = "toy,toy-long"
    assert main([*arguments, "--max-prompt-tokens", "500,model"]) == 0
    assert [cell["failed"] for cell in cells(tmp_path / "out")] == [0] * 8


def _task_of_long_answers(folder: Path) -> None:
    shutil.copytree(TOY / "toy", folder / "toy-long")
    file = folder / "toy-long" / "task.py"
    text = file.read_text().replace('name="toy"', 'name="toy-long"').replace('Dataset("toy"', 'Dataset("toy-long"')
    file.write_text(text.replace("max_new_tokens=32", "max_new_tokens=400"))
