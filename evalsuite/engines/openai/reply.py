"""What a server's answer says, taken only where it says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from evalsuite.engines.checked import ROUNDING, bad_id, bad_text
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
LARGEST_NUMBER = 1e308
"""Numbers beyond it (JSON has no limit) cannot be reckoned with."""


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
    """The tokens counted, as far as they are counts."""
    usage = body.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(whole(usage.get("prompt_tokens")), whole(usage.get("completion_tokens")), whole(cached))


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
    if fault := bad_text(text):
        raise NoAnswer(f"an answer with {fault}")
    finish = choice.get("finish_reason")
    if finish is not None and not (isinstance(finish, str) and finish in FINISHED):
        # "abort" and "error" are the server's trouble and may pass; "content_filter" will not.
        kind = NoAnswer if finish == "content_filter" else Passing
        raise kind(f"the server ended the answer with {finish!r}")
    return Reply(text, _ids(choice), _finish(choice, stop), read_usage(body))


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
    values = _rows(logprobs.get("token_logprobs"), start, count)
    tops = _rows(logprobs.get("top_logprobs"), start, count)
    first = all(top and value >= max(top.values()) for value, top in zip(_numbers(values), _tops(tops), strict=True))
    return OptionScore(float(sum(values)), count, first)


def _rows(rows: Any, start: int, count: int) -> list[Any]:
    """Those of the option; one may follow them, for the token that had to be generated."""
    if not isinstance(rows, list) or not rows:
        raise NoAnswer("no log-probabilities of the prompt in the answer; this server can only generate")
    if not 0 <= len(rows) - start - count <= 1:
        raise NoAnswer(f"log-probabilities of {len(rows)} tokens for the {start + count} sent")
    return rows[start : start + count]


def _numbers(values: list[Any]) -> list[float]:
    for value in values:
        if not _number(value) or value > ROUNDING:
            raise NoAnswer(f"a log-probability that is none: {value!r}")
    return values


def _tops(rows: list[Any]) -> list[dict[str, float]]:
    for row in rows:
        if not isinstance(row, dict) or not all(_number(value) for value in row.values()):
            raise NoAnswer(f"a first choice that is none: {row!r}")
    return rows


def _number(value: Any) -> bool:
    """A finite one: nothing else is within a limit."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def _choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Passing("an answer without choices")
    return choices[0]


def _ids(choice: Mapping[str, Any]) -> tuple[int, ...] | None:
    ids = choice.get("token_ids")
    if ids is None:
        return None
    if not isinstance(ids, list):
        raise NoAnswer("an answer with token ids that are no list")
    if fault := bad_id(ids):
        raise NoAnswer(f"an answer with {fault}")
    return tuple(ids)


def _finish(choice: Mapping[str, Any], stop: Sequence[str]) -> Finish | None:
    """Why it ended: "stop" may be a stop string or the model's own end, and only some servers say which."""
    reason = choice.get("finish_reason")
    if reason == "stop" and "stop_reason" in choice:
        return "stop" if isinstance(choice["stop_reason"], str) else "eos"
    if reason == "stop":
        return None if stop else "eos"
    return FINISHED.get(reason)


def whole(value: Any) -> int | None:
    """A count of tokens; None where it is something else."""
    return value if value is not None and bad_id([value]) is None else None
