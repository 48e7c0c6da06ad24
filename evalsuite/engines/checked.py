"""Checks the answers of all engines. An impossible answer is a failed request; it is no score and no crash.

Damaged weights can give log-likelihoods that are not numbers. A broken server can give half characters and impossible
token ids. In the journal, such an answer would be unreadable, or a wrong score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from evalsuite.interfaces import Engine
from evalsuite.types import Completion, OptionScore, Request
from evalsuite.work import Loss

LARGEST_ID = 2**31 - 1
"""The largest token id that tokenizers accept."""
ROUNDING = 1e-3
"""Through rounding, the log-likelihood of a token may be so much above 0."""
FINISHES = (None, "stop", "eos", "length")


def checked(engine: Engine, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
    """The completions of the engine. An impossible answer becomes a failure.

    Args:
        engine: who answers.
        groups: as for ``Engine.complete``; read one by one.
    """
    asked: dict[str, Request] = {}

    def remembered() -> Iterator[Sequence[Request]]:
        for group in groups:
            asked.update((request.key, request) for request in group)
            yield group

    for completion in engine.complete(remembered()):
        yield sound(completion, asked.pop(completion.key, None))


def sound(completion: Completion, request: Request | None) -> Completion:
    """The completion, or a failure that says why it is impossible."""
    if completion.error is not None:
        return replace(completion, error=writable(completion.error))
    fault = _fault(completion, request)
    if fault is None:
        return completion
    return Completion(completion.key, error=writable(f"the model's answer is unusable: {fault}"))


def writable(text: str) -> str:
    """The text with half surrogate pairs escaped, so that it can be written to a file."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def bad_text(text: object) -> str | None:
    """Why this is no text of an answer; None if it is one."""
    if not isinstance(text, str):
        return f"its text is {type(text).__name__}"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"half a character (a lone surrogate) at position {error.start} of its text"
    return None


def bad_id(ids: Iterable[object]) -> str | None:
    """Why these are no token ids; None if they are."""
    for id_ in ids:
        if not isinstance(id_, int) or isinstance(id_, bool):
            return f"a token id that is {type(id_).__name__}"
        if not 0 <= id_ <= LARGEST_ID:
            return f"a token id that is {'negative' if id_ < 0 else f'above {LARGEST_ID}'}"
    return None


def _fault(completion: Completion, request: Request | None) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    if completion.finish_reason not in FINISHES:
        return f"it ended for a reason that is none: {str(completion.finish_reason)[:40]!r}"
    return (
        bad_text(completion.text)
        or bad_id(completion.token_ids)
        or _bad_count(completion.prompt_tokens, completion.cached_tokens)
        or _bad_options(completion.options, request)
        or _bad_losses(completion.losses, request)
    )


def _bad_count(*counts: int | None) -> str | None:
    wrong = any(bad_id([count]) for count in counts if count is not None)
    return "a count of tokens that is no count" if wrong else None


def _bad_options(scores: Sequence[OptionScore], request: Request | None) -> str | None:
    if request is not None and len(scores) != len(request.options):
        return f"{len(scores)} log-likelihoods for {len(request.options)} options"
    for number, score in enumerate(scores):
        if not math.isfinite(score.logprob):
            return f"the log-likelihood of option {number + 1} is {score.logprob}"
        if score.logprob > ROUNDING * max(1, score.tokens):
            return f"the log-likelihood of option {number + 1} is above 0: {score.logprob:g}"
        if request is not None and score.tokens != len(request.options[number]):
            return f"option {number + 1} has {len(request.options[number])} tokens, {score.tokens} were scored"
    return None


def _bad_losses(losses: Sequence[float], request: Request | None) -> str | None:
    if request is not None:
        due = max(0, len(request.prompt) - 1) if isinstance(request.work, Loss) else 0
        if len(losses) != due:
            return f"{len(losses)} losses where {due} were asked for"
    wrong = next((loss for loss in losses if not math.isfinite(loss) or loss < -ROUNDING), None)
    return None if wrong is None else f"the loss of a token is {wrong}"
