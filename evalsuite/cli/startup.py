"""Starting up in less time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Keeps the garbage collector off while packages and models are loaded, and off what they made ever after.

    Importing torch and transformers makes some million objects that live as long as the process: walking them again
    and again, the last time at its end, takes a third of the time of loading them. For commands, which own their
    process; a library has no business with it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
