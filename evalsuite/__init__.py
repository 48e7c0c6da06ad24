"""Long-context evaluation: prompts cut to the model's window, official scorers, honest tables.

``evalsuite.run(spec)`` asks a model and scores it, ``evalsuite.load(DIR)`` reads runs back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.api import load, run
    from evalsuite.records import Block, RunSpec

__version__ = "0.1.0"
__all__ = ["Block", "RunSpec", "__version__", "load", "run"]

_HOME = {"run": "evalsuite.api", "load": "evalsuite.api", "RunSpec": "evalsuite.records", "Block": "evalsuite.records"}


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
