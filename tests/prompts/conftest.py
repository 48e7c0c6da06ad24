from __future__ import annotations

import pytest

from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.interfaces import Tokenizer
from evalsuite.tokenizers import load_tokenizer

TOKENIZERS = ("tiny", "characters", "bytelevel", "llamalike", "wordpiece")
"""The last three are the golden cases' own."""


@pytest.fixture(scope="session", params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    """Every kind of tokenizer: byte-level with and without BOS, byte fallback, WordPiece (lossy), characters."""
    if request.param == "tiny":
        return request.getfixturevalue("tiny_tokenizer")
    if request.param == "characters":
        return CharacterTokenizer()
    return load_tokenizer(str(request.getfixturevalue("golden") / "tokenizers" / request.param))
