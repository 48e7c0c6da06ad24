"""Run as a script: renders a chat template that came as JSON on standard input, and is killed if it does not end.

Exit code 0 says that the template came to an end, with a text or with an error; any other that it was cut short.
"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import date
from typing import Any

SECONDS = 5
"""Processor time of one rendering; real templates take milliseconds."""
BYTES = 2 << 30
"""Memory of the whole process."""


def main() -> int:
    """Renders one chat.

    Returns:
        0, or 3 when memory ran out.
    """
    with contextlib.suppress(ImportError):  # no such module on Windows: only the time is bounded there
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.load(sys.stdin)
    try:
        for now in (None, date.fromisoformat(asked["date"]).strftime):
            with contextlib.suppress(Exception):
                _render(asked, now)
    except MemoryError:
        return 3
    return 0


def _render(asked: Any, now: Any) -> None:
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.globals["raise_exception"] = refuse
    if now is not None:
        environment.globals["strftime_now"] = now
    messages = [{"role": role, "content": "Hello"} for role in asked["roles"]]
    try:
        environment.from_string(asked["template"]).render(messages=messages, add_generation_prompt=True)
    except MemoryError:
        raise SystemExit(3) from None


if __name__ == "__main__":
    sys.exit(main())
