"""A run begun with transformers goes on with vLLM only when that was allowed, and its record says so."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiny_checkpoint

from evalsuite.cli.main import main
from evalsuite.demo.formats import write_world

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed; nox -s vllm installs it"),
]


def run(folder: Path, model: str, *more: str) -> int:
    fixed = ["run", "--tasks", "qasper", "--data", str(folder / "data"), "--out", str(folder / "run")]
    return main([*fixed, "--model", f"{model}:{folder / 'model'},dtype=float32", *more])


def test_another_engine_goes_on_only_when_allowed_and_the_record_names_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    tiny_checkpoint.save(tmp_path / "model", positions=4096)
    write_world(tmp_path, tasks=("qasper",), documents=2, questions=2, count=lambda text: len(text) // 2)
    (tmp_path / "length-512").rename(tmp_path / "data")
    assert run(tmp_path, "hf") == 0
    journal = tmp_path / "run" / "completions.jsonl"
    whole = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text(whole[0], encoding="utf-8")

    assert run(tmp_path, "vllm") == 2
    assert "--allow-engine-change" in capsys.readouterr().err
    assert journal.read_text(encoding="utf-8") == whole[0]

    assert run(tmp_path, "vllm", "--allow-engine-change") == 0
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["engine"]["scheme"] == "hf"
    assert [change["scheme"] for change in record["engine_changes"]] == ["vllm"]
    answers = [json.loads(line)["completion"] for line in journal.read_text(encoding="utf-8").splitlines()]
    before = {json.loads(line)["completion"]["key"]: json.loads(line)["completion"] for line in whole}
    assert {answer["key"] for answer in answers} == set(before)
    assert all(answer["token_ids"] == before[answer["key"]]["token_ids"] for answer in answers)
