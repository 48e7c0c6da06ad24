"""From ``SCHEME:NAME[,key=value...]`` to an engine; a scheme's packages are imported when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, cast

from evalsuite.errors import UsageError, needs, unknown
from evalsuite.interfaces import Engine, PromptSide

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

SCHEMES: Mapping[str, str] = {
    "hf": "evalsuite.engines.hf",
    "vllm": "evalsuite.engines.vllm",
    "openai": "evalsuite.engines.openai",
    "lm-eval": "evalsuite.engines.lm_eval",
    "scripted": "evalsuite.engines.scripted",
}
"""Scheme to the module whose ``load(name, options, max_model_len=...)`` opens it; plug-ins bring more."""
EXTRAS: Mapping[str, str] = {"lm-eval": "hf"}
"""The extra that brings a scheme's packages, where it is not called like the scheme."""
ENTRY_POINT_GROUP = "evalsuite.engines"
"""An installed package's entry point of this group is a scheme and its module."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model as asked for on the command line."""

    scheme: str
    name: str
    options: Mapping[str, str]


def parse_model(text: str) -> ModelName:
    """Splits ``SCHEME:NAME[,key=value...]``.

    Raises:
        UsageError: no scheme, an unknown one (answered with the nearest), or an option without a value.
    """
    scheme, colon, rest = text.partition(":")
    if not colon:
        raise UsageError(
            f"--model {text}: say how to load it, e.g. hf:{text}; schemes: {', '.join((*SCHEMES, *_plugged_in()))}"
        )
    known = (*SCHEMES, *_plugged_in())
    if scheme not in known:
        raise UsageError(unknown("model scheme", scheme, known))
    name, *pairs = rest.split(",")
    if not name:
        raise UsageError(f"--model {text}: the model's name or path is missing behind the colon")
    options: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--model {scheme}:{name}: {pair!r} is not key=value")
        if key in options:
            raise UsageError(f"--model {scheme}:{name}: option {key} is given twice")
        options[key] = value
    return ModelName(scheme, name, options)


def open_engine(text: str, *, max_model_len: int | None = None, side: PromptSide | None = None) -> Engine:
    """Loads the engine a user asked for.

    Args:
        text: ``SCHEME:NAME[,key=value...]``.
        max_model_len: overrides the maximum the model's own files say.
        side: what ``open_prompt_side`` gave for the same model: taken where it is the whole engine already.

    Raises:
        UsageError: it cannot be loaded; the line says what to do.
    """
    if side is not None and hasattr(side, "complete"):
        return cast("Engine", side)
    model = parse_model(text)
    return cast("Engine", _opened(_module(model.scheme).load, model, max_model_len))


def open_prompt_side(text: str, *, max_model_len: int | None = None) -> PromptSide:
    """Tokenizer and limits of a model, without its weights where the scheme can do that.

    A scheme's module may offer ``prompt_side(name, options, max_model_len=...)``; else the engine is loaded.

    Raises:
        UsageError: it cannot be loaded; the line says what to do.
    """
    model = parse_model(text)
    module = _module(model.scheme)
    if not hasattr(module, "prompt_side"):
        return open_engine(text, max_model_len=max_model_len)
    return cast("PromptSide", _opened(module.prompt_side, model, max_model_len))


def _opened(opening: Callable[..., object], model: ModelName, max_model_len: int | None) -> object:
    """What an engine's module gives; whatever the code of a plug-in raises is one line."""
    try:
        return opening(model.name, model.options, max_model_len=max_model_len)
    except (KeyboardInterrupt, UsageError):
        raise
    except BaseException as error:
        if model.scheme in SCHEMES:
            raise
        origin = _plugged_in()[model.scheme].value
        raise UsageError(
            f"--model {model.scheme}:{model.name}: {origin} raised {error!r}; mend that package"
        ) from error


def _module(scheme: str) -> ModuleType:
    if scheme not in SCHEMES:
        return _load(_plugged_in()[scheme])
    with needs(EXTRAS.get(scheme, scheme), f"--model {scheme}:"):
        return importlib.import_module(SCHEMES[scheme])


def _plugged_in() -> dict[str, EntryPoint]:
    """The entry points of installed packages by scheme.

    Raises:
        UsageError: two engines have one scheme.
    """
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        other = SCHEMES.get(entry.name) or (found[entry.name].value if entry.name in found else None)
        if other is not None:
            raise UsageError(f"two engines are called {entry.name}: {other} and {entry.value}; uninstall one")
        found[entry.name] = entry
    return found


def _load(entry: EntryPoint) -> ModuleType:
    """The module an entry point names."""
    origin = f"entry point {entry.name} = {entry.value}"
    try:
        module = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UsageError(f"{origin} cannot be loaded: {error!r}; uninstall or mend that package") from error
    if not callable(getattr(module, "load", None)):
        raise UsageError(f"{origin}: an engine's module needs a function load(name, options, *, max_model_len=None)")
    return cast("ModuleType", module)
