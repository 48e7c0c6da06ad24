"""A loopback server with OpenAI's endpoints, and engines that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny_checkpoint
from fake_server import Server, serving
from openai_asked import CANARY

from evalsuite.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from evalsuite.engines.openai import OpenAIEngine


@pytest.fixture(scope="session")
def byte_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint.save_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def server(byte_tokenizer: Path) -> Iterator[Server]:
    with serving() as running:
        running.decode = load_tokenizer(str(byte_tokenizer)).decode
        yield running


@pytest.fixture
def opened(
    server: Server, byte_tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., OpenAIEngine]]:
    from evalsuite.engines.openai import http, load

    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    engines: list[OpenAIEngine] = []

    def open_engine(*, max_model_len: int | None = None, **options: str) -> OpenAIEngine:
        given = {"base_url": server.url, "tokenizer": str(byte_tokenizer), **options}
        engines.append(load("tiny", given, max_model_len=max_model_len))
        server.bodies.clear()
        return engines[-1]

    yield open_engine
    for engine in engines:
        engine.close()
