"""Why a request has no answer."""

from __future__ import annotations

from evalsuite.engines.hf.plan import Ask
from evalsuite.types import Completion

NOT_FINITE = (
    "the model's logits are NaN or infinite: damaged weights, a wrong config, or numbers too large for its type "
    "(try dtype=float32)"
)
NO_MEMORY = "out of memory even with the smallest batch"


def failed(ask: Ask, reason: str) -> Completion:
    """A request without an answer; it is counted as failed, never scored."""
    return Completion(key=ask.request.key, prompt_tokens=len(ask.prompt), error=reason)
