"""Values of tasks, shown in messages."""

from __future__ import annotations


def shown(value: object, width: int = 40) -> str:
    """A value as Python writes it, shortened. If it cannot be written (a number of 5,000 digits), its type."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - any code may stand behind a value's repr
        return f"a {type(value).__name__}"
    return text if len(text) <= width else f"{text[: width - 3]}..."


def told(error: BaseException) -> str:
    """An exception in one line, also if its text raises another exception."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - any code may stand behind an exception's text
        text = "(its text cannot be shown)"
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
