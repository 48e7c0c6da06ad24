"""One sample from a row of a file to a table cell, every value on the way checked by hand."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from made import TOY, lines, row, toy_data, toy_run

from evalsuite.cli.main import main
from evalsuite.engines.scripted import SCRIPTS, CharacterTokenizer

TEXT = "The king slept. The queen wrote a letter to the moon."
QUESTION = "Who wrote a letter?"
KEPT = " wrote a letter to the moon. Q: Who wrote a letter?, A:"
"""What a cap of 56 tokens leaves of the prompt: 55 characters behind the BOS."""
KEPT_SHARE = 56 / (1 + len(f"{TEXT} Q: {QUESTION}, A:"))
EVIDENCE = (16, 45)
"""``The queen wrote a letter to t``: its head is cut."""
CELL = "toy/validation/paper/0-shot/seed-0/cap-56/left"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The run: one document, one question, a cap that cuts the document's head."""
    only = row(1, 1, TEXT, question=QUESTION, answers=["The queen", "her majesty"], evidence=[EVIDENCE])
    data = toy_data(tmp_path / "data", [only])
    assert main(toy_run(tmp_path / "out", data, "--max-prompt-tokens", "56")) == 0
    return tmp_path / "out"


def test_the_sample_is_stored_with_its_document_apart(out: Path) -> None:
    import zstandard

    (stored,) = lines(out / "samples.jsonl")
    digest = sha256(TEXT.encode()).hexdigest()
    assert stored == {
        "task": "toy", "split": "validation", "length": None, "id": "q1", "document": digest, "document_id": "d1",
        "question": QUESTION, "references": ["The queen", "her majesty"], "choices": [], "gold": None,
        "evidence": [{"start": 16, "end": 45}], "attributes": {}, "seed": None,
    }  # fmt: skip
    (document,) = (out / "documents").iterdir()
    assert document.name == f"{digest}.txt.zst"
    assert zstandard.decompress(document.read_bytes()).decode() == TEXT


def test_the_request_says_what_was_cut_and_what_became_of_the_evidence(out: Path) -> None:
    (request,) = lines(out / "requests.jsonl")
    whole = f"{TEXT} Q: {QUESTION}, A:"
    assert len(KEPT) == 55
    assert whole.endswith(KEPT)
    ids = CharacterTokenizer().encode(KEPT, special_tokens=True)
    removed = len(whole) - len(KEPT)
    assert removed == TEXT.index(" wrote") == 25
    assert request["prompt_hash"] == sha256(",".join(map(str, ids)).encode()).hexdigest()
    assert request["cut"] == {
        "strategy": "left", "side": "left", "budget": 56, "bound": "cap", "tokens_before": 1 + len(whole),
        "tokens_kept": 56, "removed": [{"role": "document", "tokens": removed, "characters": removed}],
        "evidence": "some", "official": False, "note": "",
    }  # fmt: skip
    greedy = {"temperature": 0.0, "top_p": 1.0, "seed": None, "answers": 1}
    assert request["decoding"] == {"max_new_tokens": 32, "stop": ["\n"], **greedy}
    assert (request["id"], request["cell"], request["sample_id"]) == (f"{CELL}/q1", CELL, "q1")
    assert (request["option_tokens"], request["demonstrations"], request["skipped"]) == ([], [], None)


def test_the_completion_is_journalled_under_the_key_of_model_prompt_and_decoding(out: Path) -> None:
    (request,), (line,) = lines(out / "requests.jsonl"), lines(out / "completions.jsonl")
    completion, record = line["completion"], json.loads((out / "run.json").read_text())
    model = sha256(b"scripted first-words").hexdigest()
    key = sha256(json.dumps([model, request["prompt_hash"], 32, ["\n"]]).encode()).hexdigest()
    assert record["engine"]["model"]["hash"] == model
    assert completion["key"] == request["key"] == key
    words = SCRIPTS["first-words"](KEPT)
    assert words == "wrote a letter to the moon. Q: Who"
    assert completion["text"] == words[:32]
    assert completion["finish_reason"] == "length"
    assert completion["prompt_tokens"] == 56
    stored = (out / "completions.jsonl").read_bytes()
    body = stored[stored.index(b'"completion":') + len(b'"completion":') : -2]
    assert line["check"] == sha256(body).hexdigest()[:16]


def test_the_score_is_the_f1_of_the_answer_with_the_nearest_reference(out: Path) -> None:
    (score,) = lines(out / "scores.jsonl")
    # normalised: "wrote letter to moon q w" against "queen" and "her majesty": not a word in common
    assert score == {
        "id": f"{CELL}/q1", "cell": CELL, "sample_id": "q1", "document": "d1", "status": "scored",
        "values": {"f1": 0.0, "words": 8.0}, "answer": "wrote a letter to the moon. Q: W", "reason": "", "cut": True,
        "evidence": "some", "output_capped": True, "kept": KEPT_SHARE, "demonstrations_lost": None,
    }  # fmt: skip


def test_the_cell_is_the_contracts(out: Path) -> None:
    f1, words = json.loads((out / "cells.json").read_text())
    assert f1 == {
        "suite": "toys", "task": "toy", "split": "validation", "protocol": "paper", "shots": 0, "seed": 0,
        "max_prompt_tokens": 56, "length": None, "strategy": "left", "model": "first-words", "metric": "f1",
        "primary": True, "value": 0.0, "stderr": None, "asked": 1, "scored": 1, "skipped": 0, "unscorable": 0,
        "failed": 0, "documents": 1, "cut": 1, "evidence_lost": 1, "complete": True,
        "demonstrations_lost": None, "kept": KEPT_SHARE, "output_capped": 1, "value_completed": None, "repeats": 1,
        "higher_is_better": True,
    }  # fmt: skip
    assert words == {**f1, "metric": "words", "primary": False, "value": 8.0}


def test_the_record_holds_what_was_asked_of_what(out: Path, tmp_path: Path) -> None:
    record = json.loads((out / "run.json").read_text())
    (file,) = record["data"]
    stored = tmp_path / "data" / "toy" / "validation.jsonl"
    assert file == {
        "task": "toy", "name": "validation.jsonl", "revision": None,
        "sha256": sha256(stored.read_bytes()).hexdigest(),
    }  # fmt: skip
    assert record["spec"]["blocks"][0]["max_prompt_tokens"] == [56]
    assert list(record["question_identity"]) == [CELL]
    assert record["settings"][0]["task"] == "toy"
    assert record["packages"]["python"]
    assert record["provenance"] == "generated"


def test_the_prompts_command_shows_the_same_prompt_with_cut_and_evidence(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del out
    capsys.readouterr()
    asked = ["prompts", "toy", "--include-path", str(TOY), "--model", "scripted:first-words", "--sample", "q1"]
    assert main([*asked, "--data", str(tmp_path / "data"), "--max-prompt-tokens", "56"]) == 0
    shown = capsys.readouterr().out
    assert "56 of a budget of 56 (cap)" in shown
    assert "document: 25 tokens, 25 characters (left)" in shown
    assert "some of 1 stretches survived" in shown
    assert shown.endswith("<s>⟦cut: 25 tokens⟧ wrote a letter to t⟦/evidence⟧he moon. Q: Who wrote a letter?, A:\n")
