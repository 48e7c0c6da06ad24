"""``vllm serve`` on loopback, asked through ``openai:``: the same ids and log-likelihoods as transformers gives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import tiny_checkpoint
from engine_requests import request

from evalsuite.engines.openai import OpenAIEngine, load
from evalsuite.types import Request

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed; nox -s vllm installs it"),
]

POSITIONS = 512
START_LIMIT = 400
FLAGS = ("--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", "24M", "--enable-prefix-caching")


@dataclass(frozen=True)
class Serving:
    url: str
    checkpoint: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    # A server keeps its engine in a process of its own, whatever suits an engine used directly.
    kept = {name: value for name, value in os.environ.items() if name != "VLLM_ENABLE_V1_MULTIPROCESSING"}
    return {**kept, "VLLM_NO_USAGE_STATS": "1"}


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(START_LIMIT):
        if process.poll() is not None:
            break
        with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
            return
        time.sleep(1)
    pytest.fail(f"vllm serve did not come up:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    checkpoint = tiny_checkpoint.save(tmp_path_factory.mktemp("served"), positions=POSITIONS)
    port, log = free_port(), tmp_path_factory.mktemp("log") / "serve.log"
    command = [
        sys.executable,
        "-m",
        "vllm.entrypoints.cli.main",
        "serve",
        str(checkpoint),
        "--served-model-name",
        "tiny",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), *FLAGS],
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=environment(),
        )
    try:
        wait_until_healthy(process, port, log)
        yield Serving(f"http://127.0.0.1:{port}/v1", checkpoint)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


@pytest.fixture
def engine(serving: Serving) -> Iterator[OpenAIEngine]:
    made = load("tiny", {"base_url": serving.url, "tokenizer": str(serving.checkpoint), "concurrency": "4"})
    yield made
    made.close()


def asked() -> list[Request]:
    prompt = [0, *(10 + n % 200 for n in range(300))]
    options = ((50, 51, 52), (60,))
    made = [request([*prompt, 20 + n], key=f"g{n}", max_new_tokens=8) for n in range(4)]
    return [*made, *(request([*prompt, 20 + n], key=f"o{n}", options=options) for n in range(2))]


def test_the_served_limit_is_read_and_ids_are_taken(engine: OpenAIEngine) -> None:
    assert (engine.info.max_model_len, engine.info.max_model_len_source) == (POSITIONS - 1, "server")
    assert engine.info.version == "vllm"
    assert not any("as text" in note for note in engine.info.notes)


def test_answers_are_those_of_transformers(engine: OpenAIEngine, serving: Serving) -> None:
    import torch
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(serving.checkpoint, dtype="float32").eval()
    found = {completion.key: completion for completion in engine.complete([asked()])}
    for one in asked():
        completion = found[one.key]
        assert completion.error is None
        with torch.inference_mode():
            for option, score in zip(one.options, completion.options, strict=True):
                rows = torch.log_softmax(model(torch.tensor([[*one.prompt, *option]])).logits[0], dim=-1)
                expected = sum(float(rows[len(one.prompt) - 1 + n, id_]) for n, id_ in enumerate(option))
                assert score.logprob == pytest.approx(expected, abs=1e-4)
            if not one.options:
                ids = model.generate(torch.tensor([one.prompt]), max_new_tokens=8, do_sample=False)[
                    0, len(one.prompt) :
                ]
                assert completion.token_ids == tuple(ids.tolist())
                assert completion.prompt_tokens == len(one.prompt)


def test_the_longest_possible_prompt_is_answered_and_a_longer_one_never_sent(engine: OpenAIEngine) -> None:
    limit = engine.info.max_model_len or 0
    full = request([0, *([30] * (limit - 3))], key="full", options=((40, 41),))
    long = request([0, *([30] * (limit - 2))], key="long", options=((40, 41),))
    found = {completion.key: completion for completion in engine.complete([[full, long]])}
    assert found["full"].error is None
    assert "more than the" in (found["long"].error or "")
