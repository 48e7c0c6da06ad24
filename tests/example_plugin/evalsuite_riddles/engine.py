"""A model for trying things out, ``--model parrot:WORD``: whatever it is asked, it says the word.

An engine's module has ``load``; one that can tell tokenizer and limits without its weights also has ``prompt_side``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import UsageError


def load(name: str, options: Mapping[str, str], *, max_model_len: int | None = None) -> ScriptedEngine:
    """The parrot of that word.

    Raises:
        UsageError: options; it takes none.
    """
    if options:
        raise UsageError(f"parrot:{name}: a parrot takes no options")
    engine = ScriptedEngine(lambda _: name, name=name, max_model_len=max_model_len)
    engine.info = replace(engine.info, scheme="parrot")
    return engine
