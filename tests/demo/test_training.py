"""The training mix and the training script."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from evalsuite.demo import train
from evalsuite.demo import vocabulary as words
from evalsuite.demo.mix import PROBE_ROWS, TASK_ROWS, Recipe, Stretch, make_row
from evalsuite.demo.questions import ask_all
from evalsuite.demo.tokenizer import count_tokens
from evalsuite.demo.world import MOST_FACTS, Shape, make_document

KINDS = [kind for kind, _ in TASK_ROWS + PROBE_ROWS] + ["echo", "recital"]


def rows(kind: str, *, shots: float = 0.5, count: int = 20) -> list[list[Stretch]]:
    recipe = Recipe(512, (0.3, 0.7), (0.2, 1.0), ((kind, 1.0),), shots)
    random = Random(11)  # noqa: S311 - reproducible, not secret
    return [make_row(random, recipe) for _ in range(count)]


def text(row: list[Stretch]) -> str:
    return "".join(stretch.text for stretch in row)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_a_row_are_tokenized_as_the_whole_row_is(kind: str) -> None:
    encoder = train.Encoder()
    for row in rows(kind):
        ids, codes = encoder.encode(row, 2048)
        whole = encoder.tokenizer.encode(text(row)).ids
        assert ids == whole + [1] * (2048 - len(whole))
        assert any(codes[: len(whole)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_no_longer_than_its_recipe_says(kind: str) -> None:
    assert all(count_tokens(text(row)) <= 512 for row in rows(kind, count=40))


def test_the_first_question_stands_right_behind_its_document() -> None:
    for row in rows("narrativeqa", shots=0.0):
        assert row[0].text.endswith(".")
        assert row[1].text.startswith(" Q: ")
        assert row[1].text.endswith(", A:")
        assert row[2].kind == "extractive"
        assert row[3] == Stretch("\n", "stop")


def test_options_are_answered_with_words_or_with_letters() -> None:
    recipe = Recipe(512, (0.3, 0.7), (0.2, 1.0), (("quality", 1.0),), 0.0)
    for letters in (False, True):
        random = Random(5)  # noqa: S311 - reproducible, not secret
        row = make_row(random, replace(recipe, letters=letters))
        answer = next(stretch.text.strip() for stretch in row if stretch.kind == "choice")
        assert (answer in words.LETTERS) == letters
        assert (answer in words.NAMES) != letters


def test_a_long_dense_document_leaves_names_for_wrong_options() -> None:
    document = make_document(Random(5), "quality", "train", Shape(4000, 300))  # noqa: S311 - reproducible
    assert len(document.facts) == MOST_FACTS
    assert len(ask_all(Random(5), document, 200)) == MOST_FACTS  # noqa: S311 - reproducible


def test_answers_of_placeholder_demonstrations_are_not_learnt() -> None:
    shown = [row for row in rows("narrativeqa", shots=1.0, count=40) if row[0].text == "..."]
    assert len(shown) > 10
    for row in shown:
        assert row[2].kind == row[3].kind == ""


def test_each_answer_learnt_is_the_name_behind_its_key() -> None:
    for row in rows("narrativeqa", shots=0.0):
        for before, answer in pairwise(row):
            if answer.kind == "extractive":
                key = before.text.removesuffix("?, A:").split()[-1]
                assert f"the {key}{answer.text} " in row[0].text


def test_a_rate_warms_up_and_falls_to_its_share() -> None:
    stage = train.Stage(Recipe(64, (1, 1), (1, 1), (("echo", 1.0),), 0.0), steps=1000, final_rate=0.1)
    assert train.rate(0, stage) == pytest.approx(train.LEARNING_RATE / train.WARM_UP)
    assert train.rate(1000, stage) == pytest.approx(train.LEARNING_RATE * 0.1)
    assert train.rate(500, stage) == pytest.approx(train.LEARNING_RATE * 0.55)


def test_a_short_training_learns_to_stop_and_leaves_loadable_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    brief = train.Stage(Recipe(128, (0.5, 0.5), (1.0, 1.0), (("narrativeqa", 1.0),), 0.0), steps=15, batch=256)
    monkeypatch.setattr(train, "SHORT", (brief,))
    monkeypatch.setattr(train, "LONG", (brief,))
    monkeypatch.setattr(train, "LOG_EVERY", 5)
    train.train(tmp_path, seed=3)

    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0] / 1.5
    for name, base in (("short", 10_000.0), ("long", 500_000.0)):
        model = AutoModelForCausalLM.from_pretrained(tmp_path / name)
        assert model.config.rope_parameters["rope_theta"] == base
        assert AutoTokenizer.from_pretrained(tmp_path / name)("x").input_ids[0] == model.config.bos_token_id
