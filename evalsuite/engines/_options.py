"""Reading ``key=value`` options: conversions with one clear line when a value is malformed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from evalsuite.errors import UsageError, unknown

Kinds: TypeAlias = Mapping[str, Callable[[str], Any]]
"""Option name to conversion, which raises ValueError for a value it does not understand."""

SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text: str) -> int:
    """Bytes, with an optional K, M or G."""
    factor = SIZES.get(text[-1:].upper(), 1)
    return int(float(text.rstrip("KMGkmg")) * factor)


def switch(text: str) -> bool:
    """``true`` or ``false``."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


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

    return convert


def plain(text: str) -> Any:
    """A truth value, a number, or the text itself."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
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
            _nest(deep[prefix], path.split("."), plain(value))
        elif key in kinds:
            flat[key] = _converted(scheme, key, value, kinds[key])
        else:
            raise UsageError(f"{scheme}: {unknown('option', key, [*kinds, *(f'{p}.FIELD' for p in deep)])}")
    return flat, deep


def _converted(scheme: str, key: str, value: str, convert: Callable[[str], Any]) -> Any:
    try:
        return convert(value)
    except ValueError:
        raise UsageError(f"{scheme}: option {key}={value!r} is malformed") from None


def _nest(target: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value
