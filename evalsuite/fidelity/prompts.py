"""Golden prompt cases: a benchmark's official prompt built again, and compared by hash.

The value of a case is ``{prompt_sha256, token_ids_sha256, prompt_tokens}``: SHA-256 of the UTF-8 text, and of the
decimal ids joined by ``,``; None where the case has no text (``hf``) or no ids (``turbo16k-test``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from evalsuite.benchmark import GoldenInputs
from evalsuite.errors import UsageError
from evalsuite.fidelity.cases import prompts_of
from evalsuite.runs.identity import prompt_hash

Value: TypeAlias = dict[str, str | int | None]


def compute_prompt(case: Mapping[str, Any], context: GoldenInputs) -> Value:
    """The value of one prompt case, without a look at what is expected.

    Args:
        case: a line of a benchmark's prompt file.
        context: where its tokenizer and its row come from.

    Raises:
        UsageError: the case names a row, tokenizer or set that is not there.
    """
    try:
        prompts = prompts_of(case)
        if prompts is None:
            raise UsageError(f"prompt case {case.get('id')}: no benchmark knows its kind")
        built = prompts.build(case, context)
    except KeyError as error:
        raise UsageError(f"prompt case {case.get('id')}: {error} is missing or unknown") from error
    return _value(built.text, built.ids)


def prompt_agrees(expected: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether a computed value equals the expected prompt, given in full or as hashes; there is no tolerance."""
    return all(value.get(name) == wanted for name, wanted in expected_value(expected).items())


def expected_value(expected: Mapping[str, Any]) -> Value:
    """What a golden case expects, in the shape of a computed value."""
    text, ids = expected.get("prompt"), expected.get("token_ids")
    return {
        "prompt_sha256": expected.get("prompt_sha256") if text is None else _text_hash(text),
        "token_ids_sha256": expected.get("token_ids_sha256") if ids is None else prompt_hash(ids),
        "prompt_tokens": expected.get("prompt_tokens"),
    }


def _value(text: str | None, ids: Sequence[int] | None) -> Value:
    return {
        "prompt_sha256": None if text is None else _text_hash(text),
        "token_ids_sha256": None if ids is None else prompt_hash(ids),
        "prompt_tokens": None if ids is None else len(ids),
    }


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
