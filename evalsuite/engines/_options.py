"""Reading ``key=value`` options: conversions with one clear line when a value is malformed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, TypeAlias

from evalsuite.errors import UsageError, unknown

Kinds: TypeAlias = Mapping[str, Callable[[str], Any]]
"""Option name to conversion, which raises ValueError for a value it does not understand; its docstring says what it
takes."""

YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
LONGEST = 86_400.0
MOST_SHOWN = 40
"""Characters of a malformed value that are shown."""
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text: str) -> int:
    """A number of bytes, with an optional K, M or G."""
    factor = SIZES.get(text[-1:].upper(), 1)
    return int(amount(text.rstrip("KMGkmg")) * factor)


def amount(text: str) -> float:
    """A number from 0."""
    number = float(text)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(text)
    return number


def seconds(text: str) -> float:
    """A number of seconds above 0, a day at most."""
    number = amount(text)
    if not 0 < number <= LONGEST:
        raise ValueError(text)
    return number


def switch(text: str) -> bool:
    """Yes or no, which may be said as true or false, on or off, 1 or 0."""
    if text.lower() not in YES | NO:
        raise ValueError(text)
    return text.lower() in YES


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def one_of(*known: str) -> Callable[[str], str]:
    """One of a few words."""

    def convert(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    convert.__doc__ = f"One of {', '.join(known)}."
    return convert


def plain(text: str) -> Any:
    """A truth value, a finite number, or a text that is none."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if not math.isfinite(value):
            raise ValueError(text)
        return value
    return text


def read_options(
    scheme: str, options: Mapping[str, str], kinds: Kinds, *, nested: Iterable[str] = ()
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Options by name, converted.

    Args:
        scheme: for messages.
        options: as given.
        kinds: the known ones.
        nested: prefixes such as ``hf_overrides``: ``hf_overrides.a.b=1`` becomes ``{"a": {"b": 1}}``.

    Returns:
        The known options given, and for each prefix a nested mapping.

    Raises:
        UsageError: an unknown option, answered with the nearest, or a malformed value.
    """
    flat: dict[str, Any] = {}
    deep: dict[str, dict[str, Any]] = {prefix: {} for prefix in nested}
    for key, value in options.items():
        prefix, dot, path = key.partition(".")
        if dot and prefix in deep:
            _nest(scheme, key, deep[prefix], path.split("."), _converted(scheme, key, value, plain))
        elif key in kinds:
            flat[key] = _converted(scheme, key, value, kinds[key])
        else:
            raise UsageError(f"{scheme}: {unknown('option', key, [*kinds, *(f'{p}.FIELD' for p in deep)])}")
    return flat, deep


def _converted(scheme: str, key: str, value: str, convert: Callable[[str], Any]) -> Any:
    try:
        return convert(value)
    except (ValueError, OverflowError):
        takes = f"; it takes {_uncapitalised(convert.__doc__)}" if isinstance(convert, FunctionType) else ""
        raise UsageError(f"{scheme}: option {key}={value[:MOST_SHOWN]!r} is malformed{takes}") from None


def _uncapitalised(docstring: str | None) -> str:
    line = (docstring or "").split("\n", 1)[0].rstrip(".")
    return line[:1].lower() + line[1:]


def _nest(scheme: str, option: str, target: dict[str, Any], path: list[str], value: Any) -> None:
    """Puts a value where its path leads; every field is named, and given once."""
    for key in path[:-1]:
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            break
    if "" in path or not isinstance(target, dict) or path[-1] in target:
        raise UsageError(f"{scheme}: option {option} names no field, or one that is also given another way")
    target[path[-1]] = value
