"""What a server's answer says, taken only where it says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from evalsuite.engines.openai.http import NoAnswer, Passing
from evalsuite.types import OptionScore

Finish: TypeAlias = Literal["stop", "eos", "length"]
FINISHED: Mapping[Any, Finish] = {
    "stop": "stop",
    "length": "length",
    "eos": "eos",
    "eos_token": "eos",
    "stop_sequence": "stop",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; None where it does not say."""

    prompt: int | None
    answer: int | None
    cached: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One generated answer."""

    text: str
    ids: tuple[int, ...] | None
    """None where the server gives none."""
    finish: Finish | None
    usage: Usage


def read_usage(body: Mapping[str, Any]) -> Usage:
    """The tokens counted."""
    usage = body.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(_whole(usage.get("prompt_tokens")), _whole(usage.get("completion_tokens")), _whole(cached))


def read_reply(body: Mapping[str, Any], stop: Sequence[str]) -> Reply:
    """The answer of a completions or chat endpoint.

    Args:
        body: the server's JSON object.
        stop: the stop strings asked for.

    Raises:
        NoAnswer: the body holds no finished answer.
    """
    choice = _choice(body)
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    if not isinstance(text, str):
        raise Passing("an answer without text")
    finish = choice.get("finish_reason")
    if finish is not None and not (isinstance(finish, str) and finish in FINISHED):
        # "abort" and "error" are the server's trouble and may pass; "content_filter" will not.
        kind = NoAnswer if finish == "content_filter" else Passing
        raise kind(f"the server ended the answer with {finish!r}")
    ids = choice.get("token_ids")
    kept = tuple(ids) if isinstance(ids, list) and all(isinstance(id_, int) for id_ in ids) else None
    return Reply(text, kept, _finish(choice, stop), read_usage(body))


def read_option(body: Mapping[str, Any], start: int, count: int) -> OptionScore:
    """The log-likelihood of an option from an echoed prompt's log-probabilities.

    Args:
        body: the server's JSON object.
        start: tokens before the option.
        count: the option's tokens.

    Raises:
        NoAnswer: the body holds no log-probabilities of the prompt.
    """
    logprobs = _choice(body).get("logprobs")
    logprobs = logprobs if isinstance(logprobs, dict) else {}
    values, tops = logprobs.get("token_logprobs") or [], logprobs.get("top_logprobs") or []
    values, tops = values[start : start + count], tops[start : start + count]
    if len(values) < count or len(tops) < count or not all(isinstance(value, int | float) for value in values):
        raise NoAnswer("no log-probabilities of the prompt in the answer; this server can only generate")
    first = all(top and value >= max(top.values()) for value, top in zip(values, tops, strict=True))
    return OptionScore(float(sum(values)), count, first)


def _choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Passing("an answer without choices")
    return choices[0]


def _finish(choice: Mapping[str, Any], stop: Sequence[str]) -> Finish | None:
    """Why it ended: "stop" may be a stop string or the model's own end, and only some servers say which."""
    reason = choice.get("finish_reason")
    if reason == "stop" and "stop_reason" in choice:
        return "stop" if isinstance(choice["stop_reason"], str) else "eos"
    if reason == "stop":
        return None if stop else "eos"
    return FINISHED.get(reason)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
