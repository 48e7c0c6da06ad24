"""The options of ``openai:`` as typed values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from evalsuite.engines._options import Kinds, one_of, positive, read_options
from evalsuite.errors import UsageError

KINDS: Kinds = {
    "base_url": str,
    "tokenizer": str,
    "endpoint": one_of("completions", "chat"),
    "prompt": one_of("auto", "ids", "text"),
    "concurrency": positive,
    "timeout": float,
    "attempts": positive,
    "key_env": str,
    "revision": str,
    "price_in": float,
    "price_out": float,
    "max_cost": float,
}
KEY_ENV = "OPENAI_API_KEY"


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

    def recorded(self) -> dict[str, str]:
        """Options that change results."""
        return {"endpoint": self.endpoint, **{f"body.{key}": str(value) for key, value in self.body.items()}}


def options(model: str, given: Mapping[str, str]) -> Options:
    """Reads the options.

    Raises:
        UsageError: an unknown, malformed or missing one; a key or password given where it would be written down.
    """
    if "api_key" in given or "key" in given:
        raise UsageError(
            "openai: a key given as an option would be written into the run's record; "
            f"put it into the environment variable {KEY_ENV}, or say key_env=NAME"
        )
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


def _check_url(url: str | None) -> None:
    if not url:
        raise UsageError("openai: say base_url=http://HOST:PORT/v1, or set OPENAI_BASE_URL")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"openai: base_url={url!r} is no http address")
    if parts.username or parts.password or parts.query:
        raise UsageError("openai: base_url must hold no user, password or query: it is written into the run's record")


def _check(made: Options, given: Mapping[str, str]) -> None:
    if "key_env" in given and made.key is None:
        raise UsageError(f"openai: the environment variable {made.key_env} is not set")
    if made.max_cost is not None and (made.price_in is None or made.price_out is None):
        raise UsageError("openai: a maximum cost needs price_in=... and price_out=..., per million tokens")
