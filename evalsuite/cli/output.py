"""What a command says, on streams whose reader may have gone away."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO


def say(text: str, end: str = "\n") -> None:
    """Prints a result; a reader that went away (``| head``) is no error and stops no work."""
    _write(sys.stdout, text + end)


def tell(text: str) -> None:
    """Prints a remark on standard error, in the same way."""
    _write(sys.stderr, text + "\n")


def show_what_can_be_shown() -> None:
    """Lets a stream that cannot show a character show ``?`` in its place, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed by the caller (2>&-)
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # Python would complain again at exit about what it still holds.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
