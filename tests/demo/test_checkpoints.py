"""The two checkpoints in the package."""

from __future__ import annotations

import json
from statistics import mean

import pytest

from evalsuite.demo.checkpoints import checkpoint
from evalsuite.demo.measure import Figure, measure
from evalsuite.demo.tokenizer import build_tokenizer

NAMES = ("short", "long")


@pytest.fixture(scope="module")
def figures() -> tuple[Figure, ...]:
    return measure(checkpoint("short").parent, tasks=("narrativeqa", "qasper"), lengths=(512, 4096))


def f1(figures: tuple[Figure, ...], model: str, task: str, length: int) -> float:
    return next(mean(one.values) for one in figures if (one.model, one.task, one.length) == (model, task, length))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["narrativeqa", "qasper"])
def test_both_models_answer_at_512_tokens(figures: tuple[Figure, ...], task: str) -> None:
    assert f1(figures, "short", task, 512) >= 85
    assert f1(figures, "long", task, 512) >= 85


@pytest.mark.slow
@pytest.mark.parametrize("task", ["narrativeqa", "qasper"])
def test_the_long_model_alone_answers_at_4096_tokens(figures: tuple[Figure, ...], task: str) -> None:
    assert f1(figures, "long", task, 4096) >= 80
    assert f1(figures, "long", task, 4096) - f1(figures, "short", task, 4096) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_model_card_holds_the_measured_figures(figures: tuple[Figure, ...], name: str) -> None:
    card = (checkpoint(name) / "README.md").read_text(encoding="utf-8")
    for figure in figures:
        if figure.model == name:
            row = next(line for line in card.splitlines() if line.startswith(f"| {figure.task} "))
            assert str(figure) in row


@pytest.mark.parametrize(("name", "base"), [("short", 10_000.0), ("long", 500_000.0)])
def test_both_declare_4096_positions_and_their_own_rope_base(name: str, base: float) -> None:
    config = json.loads((checkpoint(name) / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "llama"
    assert config["max_position_embeddings"] == 4096
    assert config["rope_parameters"]["rope_theta"] == base


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_at_most_four_megabytes(name: str) -> None:
    assert sum(path.stat().st_size for path in checkpoint(name).glob("*.safetensors")) <= 4_000_000


def test_both_carry_the_world_s_tokenizer() -> None:
    carried = [(checkpoint(name) / "tokenizer.json").read_text(encoding="utf-8") for name in NAMES]
    assert carried[0] == carried[1]
    assert json.loads(carried[0]) == json.loads(build_tokenizer().to_str())


def test_the_chat_template_writes_bos_once() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint("long"))
    chat = [{"role": "system", "content": "Key"}, {"role": "user", "content": "Who is the baker?"}]
    shown = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert shown == "<s>Key\nWho is the baker?"
