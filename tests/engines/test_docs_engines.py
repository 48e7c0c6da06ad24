"""The examples of docs/engines.md do what they say: every engine once, copied as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiny_checkpoint
from fake_server import serving

from evalsuite.cli.main import main
from evalsuite.demo.formats import write_world
from evalsuite.tokenizers import load_tokenizer

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE)
FILES = re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
POSITIONS = 8192

needs_vllm = [
    pytest.mark.vllm,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed; nox -s vllm installs it"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page's reader has it: a checkpoint, data, the files shown."""
    folder = tmp_path_factory.mktemp("desk")
    tiny_checkpoint.save(folder / "my-llama", positions=POSITIONS)
    write_world(folder, tasks=("qasper",), documents=1, questions=1, count=lambda text: len(text) // 2)
    (folder / "length-512").rename(folder / "data")
    (folder / "tasks").symlink_to(ROOT / "tasks")
    for name, text in FILES:
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def command(*words: str) -> str:
    """The one example that holds all these words."""
    found = [line for line in COMMANDS if all(word in line for word in words)]
    assert len(found) == 1, found
    return found[0]


def run(line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs an ``evalsuite`` command in this process: models' packages are imported once for all examples."""
    monkeypatch.chdir(desk)
    program, *arguments = shlex.split(line)
    assert program == "evalsuite"
    assert main(arguments) == 0


def cells(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    assert all(cell["complete"] for cell in found)
    return found


@pytest.mark.parametrize("scheme", ["hf", "scripted", pytest.param("vllm", marks=needs_vllm)])
def test_the_example_of_an_engine_runs(scheme: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(command(f"--model {scheme}:", f"results/{scheme}"), desk, monkeypatch)
    assert cells(desk / "results" / scheme)


def test_the_example_of_the_lm_eval_engine_runs(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(command("--model lm-eval:"), desk, monkeypatch)
    assert cells(desk / "results" / "lm-eval")


def test_the_example_of_a_server_runs_and_no_file_holds_the_key(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "sk-canary-77aa"
    monkeypatch.setenv("OPENAI_API_KEY", canary)
    with serving() as server:
        server.models = {"data": [{"id": "my-llama", "max_model_len": POSITIONS}]}
        server.decode = load_tokenizer(str(desk / "my-llama")).decode
        run(command("--model openai:").replace("http://127.0.0.1:8000/v1", server.url), desk, monkeypatch)
    assert cells(desk / "results" / "server")
    written = [path for path in (desk / "results" / "server").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if canary.encode() in path.read_bytes()]


def test_a_task_of_lm_eval_stands_in_the_same_table(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(command("lm-eval:capitals.yaml"), desk, monkeypatch)
    assert {cell["task"] for cell in cells(desk / "results" / "both")} == {"qasper", "lm-eval:capitals"}


@pytest.mark.slow
def test_the_example_inside_lm_eval_runs(desk: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1"}
    ended = subprocess.run(
        ["/bin/sh", "-c", command("lm_eval run")], cwd=desk, env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "evalsuite_qasper" in ended.stdout
