"""The options of ``openai:`` as typed values."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from evalsuite.engines._options import Kinds, amount, one_of, positive, read_options, seconds
from evalsuite.engines.openai.secret import Secret
from evalsuite.errors import UsageError

KINDS: Kinds = {
    "base_url": str,
    "tokenizer": str,
    "endpoint": one_of("completions", "chat"),
    "prompt": one_of("auto", "ids", "text"),
    "concurrency": positive,
    "timeout": seconds,
    "attempts": positive,
    "key_env": str,
    "revision": str,
    "price_in": amount,
    "price_out": amount,
    "max_cost": amount,
}
KEY_ENV = "OPENAI_API_KEY"
MOST_AT_ONCE = 1024
SECRETS = frozenset(
    {"key", "apikey", "accesskey", "token", "accesstoken", "authorization", "auth", "bearer", "password"}
)
"""Names, in lower case and without marks, of what is never given as an option: options are written down."""
ASKED = frozenset(
    {
        *("model", "prompt", "messages", "input", "prompt_embeds", "suffix", "echo", "stream", "stream_options"),
        *("max_tokens", "max_completion_tokens", "max_new_tokens", "max_length", "min_tokens", "n_predict"),
        *("num_predict", "ignore_eos", "stop", "stop_token_ids", "include_stop_str_in_output", "skip_special_tokens"),
        *("n", "best_of", "use_beam_search", "temperature", "do_sample", "logprobs", "top_logprobs"),
        *("prompt_logprobs", "return_token_ids", "truncate_prompt_tokens", "tools", "tool_choice", "functions"),
    }
)
"""Fields of a request that say what is asked: the run's record says it too, and both must be the same."""


@dataclass(frozen=True)
class Options:
    """Where the server is and how to ask it."""

    model: str
    base_url: str
    tokenizer: str
    endpoint: str = "completions"
    prompt: str = "auto"
    """What a completions endpoint gets: token ids, text, or ids where it takes them."""
    concurrency: int = 8
    timeout: float = 600.0
    """Seconds a single try may take."""
    attempts: int = 6
    """Tries of one request, the first included."""
    key_env: str = KEY_ENV
    """Name of the environment variable that holds the key."""
    revision: str | None = None
    price_in: float | None = None
    """Per million prompt tokens, in any currency."""
    price_out: float | None = None
    max_cost: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of every request's body."""

    @property
    def key(self) -> str | None:
        """The key, read when it is needed and kept nowhere."""
        return os.environ.get(self.key_env)

    @property
    def priced(self) -> bool:
        """Whether it is known what tokens cost."""
        return self.price_in is not None or self.price_out is not None

    def recorded(self) -> dict[str, str]:
        """Options that change results."""
        return {"endpoint": self.endpoint, **{f"body.{key}": str(value) for key, value in self.body.items()}}


def options(model: str, given: Mapping[str, str]) -> Options:
    """Reads the options.

    Raises:
        UsageError: an unknown, malformed or missing one; a key or password given where it would be written down.
    """
    _check_names(given)
    flat, nested = read_options("openai", given, KINDS, nested=("body",))
    base_url = flat.pop("base_url", None) or os.environ.get("OPENAI_BASE_URL")
    _check_url(base_url)
    if "tokenizer" not in flat:
        raise UsageError(
            f"openai: say tokenizer=PATH, the folder or hub id of {model}'s tokenizer: prompts are cut by its tokens"
        )
    made = Options(model, str(base_url).rstrip("/"), flat.pop("tokenizer"), body=nested["body"], **flat)
    _check(made, given)
    return made


def _check_names(given: Mapping[str, str]) -> None:
    """Refuses what must not be written down, and what would make the record untrue."""
    for option in given:
        field = option.removeprefix("body.").split(".")[0]
        if re.sub(r"[^a-z]", "", field.lower()) in SECRETS:
            raise UsageError(
                f"openai: {option}: a key given as an option would be written into the run's record; "
                f"put it into the environment variable {KEY_ENV}, or say key_env=NAME"
            )
        if option.startswith("body.") and field.lower() in ASKED:
            raise UsageError(
                f"openai: {option}: the run sets this field itself, and its record says what was asked; "
                "see `evalsuite run --help` for the options that change it"
            )


def _check_url(url: str | None) -> None:
    if not url:
        raise UsageError("openai: say base_url=http://HOST:PORT/v1, or set OPENAI_BASE_URL")
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and bool((parts.hostname or "").encode("idna"))
        named = named and parts.port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        raise UsageError("openai: base_url is no http address; it reads http://HOST:PORT/v1") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("openai: base_url must hold no user, password or query: it is written into the run's record")
    if not named:
        raise UsageError(f"openai: base_url={url!r} is no http address; it reads http://HOST:PORT/v1")


def _check(made: Options, given: Mapping[str, str]) -> None:
    if made.concurrency > MOST_AT_ONCE:
        raise UsageError(f"openai: concurrency={made.concurrency} is more than {MOST_AT_ONCE}")
    if made.max_cost is not None and (made.price_in is None or made.price_out is None):
        raise UsageError("openai: a maximum cost needs price_in=... and price_out=..., per million tokens")
    _check_key(made, given)


def _check_key(made: Options, given: Mapping[str, str]) -> None:
    """Refuses a key that no header can carry, and one that stands where it would be written down."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", made.key_env):
        raise UsageError("openai: key_env takes the name of an environment variable, not a key")
    key = made.key
    if "key_env" in given and not key:
        raise UsageError(f"openai: the environment variable {made.key_env} is not set, or empty")
    if key and not re.fullmatch(r"[\x21-\x7e]+", key):
        raise UsageError(
            f"openai: the key in {made.key_env} holds a line break, a space or another character that no key has; "
            "set it again without"
        )
    for option, value in {"the model's name": made.model, **given, "base_url": made.base_url}.items():
        if Secret(key).held_in(value):
            raise UsageError(
                f"openai: {option} holds the key of {made.key_env}, and would be written into the run's record"
            )
