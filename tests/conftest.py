"""Fixtures every area shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
