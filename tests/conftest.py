"""Fixtures every area shares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from evalsuite.tokenizers import HFTokenizer

# A busy machine is no fault of what is tested; bounds of time stand in tests of their own.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: no {what} here")
    path = Path(value)
    if not path.is_dir():
        pytest.fail(f"{variable}={value} is not a folder")
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The publishers' data files, one folder a benchmark."""
    return _folder("EVALSUITE_DATA", "benchmark data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Cases with the official scorers' values and the official scripts' prompts."""
    return _folder("EVALSUITE_GOLDEN", "golden cases")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama checkpoint with a byte-level tokenizer and a chat template."""
    import tiny

    return tiny.save_model(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def tiny_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> HFTokenizer:
    """The tiny model's tokenizer: BOS in front, special tokens, a chat template that writes the BOS itself."""
    import tiny

    from evalsuite.tokenizers import load_tokenizer

    return load_tokenizer(str(tiny.save_tokenizer(tmp_path_factory.mktemp("tiny-tokenizer"))))
