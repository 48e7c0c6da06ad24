"""Why a request has no answer."""

from __future__ import annotations

from evalsuite.engines.hf.prefix.plan import Ask
from evalsuite.tokenizers.files import one_line
from evalsuite.types import Completion

NOT_FINITE = (
    "the model's logits are NaN or infinite: damaged weights, a wrong config, or numbers too large for its type "
    "(try dtype=float32)"
)
NO_MEMORY = "out of memory even with the smallest batch"


def broke_off(error: Exception) -> str:
    """What the library raised in the middle of a pass."""
    return f"{type(error).__name__}: {one_line(error)}"


def failed(ask: Ask, reason: str) -> Completion:
    """A request without an answer; it is counted as failed, never scored."""
    return Completion(key=ask.request.key, prompt_tokens=len(ask.prompt), error=reason)
