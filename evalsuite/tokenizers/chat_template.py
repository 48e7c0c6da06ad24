"""A model's chat template, rendered so that it always says the same: a fixed date, an end, one line for an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError, needs
from evalsuite.safe_text import plain
from evalsuite.tokenizers import template_check

TEMPLATE_DATE = "2024-07-26"
"""What a template that prints the date and has no date of its own to fall back to is given: any day, never today."""

OWN_DATE = "the template's own"
"""How a run records that the template fell back to its own date."""

CLOCK = "strftime_now"
"""The function by which transformers lets a template read the date."""

CHECK_SECONDS = 60.0
"""Wall time after which a template is given up, however busy the machine is; its processor time is bounded first."""

Messages = Sequence[Mapping[str, str]]


class ChatTemplate:
    """The chat template of one tokenizer.

    Attributes:
        source: the template's text, for one of several by name what its files say.
    """

    def __init__(self, pretrained: Any, name: str) -> None:
        self._pretrained, self._name = pretrained, name
        self.source = pretrained.chat_template

    def render(self, messages: Messages, day: str | None) -> str:
        """The chat as text, ready for the model's turn.

        Args:
            messages: ``{"role": ..., "content": ...}`` each.
            day: ``YYYY-MM-DD``, the date it may print; None for its own fallback, else ``TEMPLATE_DATE``.

        Raises:
            UsageError: it refuses the messages, fails, does not end, or prints no date though one is asked for.
        """
        return self._dated(messages, day)[0]

    def date(self, day: str | None) -> str | None:
        """The date that a chat shows: ``YYYY-MM-DD``, ``OWN_DATE``, or None where the template reads no date."""
        if not self._reads_the_date():
            return None
        return self._dated([{"role": "user", "content": "Hello"}], day)[1]

    def _dated(self, messages: Messages, day: str | None) -> tuple[str, str]:
        with needs("openai", "a chat template"):
            from jinja2 import Undefined, UndefinedError

        if day is not None and not self._reads_the_date():
            raise UsageError(f"--template-date {day}: the chat template of {self._name} prints no date; leave it out")
        self._check(tuple(message["role"] for message in messages))
        if day is not None:
            return self._text(messages, clock(day)), day

        class NoFallbackError(UndefinedError):
            """The template reads the date without asking whether it can."""

        try:
            return self._text(messages, Undefined(name=CLOCK, exc=NoFallbackError), NoFallbackError), OWN_DATE
        except NoFallbackError:
            return self._text(messages, clock(TEMPLATE_DATE)), TEMPLATE_DATE

    def _text(self, messages: Messages, now: Any, passed: type[Exception] | tuple[()] = ()) -> str:
        try:
            rendered = self._pretrained.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True, **{CLOCK: now}
            )
        except passed:
            raise
        except Exception as error:  # noqa: BLE001 - a template is a program; whatever it raises is its own fault
            raise UsageError(f"the chat template of {self._name} refuses these messages: {_said(error)}") from None
        return str(rendered)

    def _reads_the_date(self) -> bool:
        return CLOCK in str(self.source)

    def _check(self, roles: tuple[str, ...]) -> None:
        """Refuses a template that does not end.

        Raises:
            UsageError: it takes more time or memory than any chat needs.
        """
        for source in self.source.values() if isinstance(self.source, dict) else (self.source,):
            if not ends(str(source), roles):
                raise UsageError(
                    f"the chat template of {self._name} takes more than {template_check.SECONDS} s or "
                    f"{template_check.BYTES >> 30} GB for one chat; it cannot be used"
                )


def clock(day: str) -> Callable[[str], str]:
    """``strftime_now`` on one fixed day."""
    return date.fromisoformat(day).strftime


@lru_cache(maxsize=64)
def ends(template: str, roles: tuple[str, ...]) -> bool:
    """Whether rendering a chat of such messages ends: tried once in a process whose time and memory are bounded.

    A loop over a loop over 99,999 numbers, or a text times a thousand million, stops no process from within. What the
    template raises there it raises here again.
    """
    asked = json.dumps({"template": template, "roles": roles, "date": TEMPLATE_DATE})
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the template goes in as data
            [sys.executable, "-P", str(Path(template_check.__file__))],
            input=asked.encode("ascii"),
            env=known,
            capture_output=True,
            check=False,
            timeout=CHECK_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _said(error: Exception) -> str:
    """An error in one line, by its kind where it says nothing else."""
    text = plain(str(error).strip().partition("\n")[0])[:300]
    kind = type(error).__name__
    return text if kind == "TemplateError" and text else f"{kind}: {text}" if text else kind
