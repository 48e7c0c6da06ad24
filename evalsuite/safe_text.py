"""Names from models and files are hostile until made safe for the place they are shown in."""

from __future__ import annotations

import unicodedata

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    """Without control characters, line breaks and marks that reorder text: safe for a terminal or a log."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)


def plain_lines(text: str) -> str:
    """As ``plain``, line breaks kept."""
    return "\n".join(plain(line) for line in text.split("\n"))


def csv_safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return "'" + text if text.startswith(_FORMULA) else text


def markdown_safe(text: str) -> str:
    """A text that stays inside its table cell."""
    for character in "\\|`*_[]<>":
        text = text.replace(character, "\\" + character if character not in "<>" else f"&#{ord(character)};")
    return text
