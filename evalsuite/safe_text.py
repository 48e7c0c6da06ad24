"""Names from models and files may be hostile. These functions make them safe for the place where they are shown."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width signs start formulas too
_MARKDOWN = {**{sign: f"\\{sign}" for sign in "\\|`*_[]~$"}, **{sign: f"&#{ord(sign)};" for sign in "<>&"}}
_LONGEST = 200
"""Longest name that a table shows in full."""


def plain(text: str) -> str:
    """Without control characters, line breaks and marks that reorder text: safe for a terminal or a log."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)


def plain_lines(text: str) -> str:
    """As ``plain``, but line breaks are kept."""
    return "\n".join(plain(line) for line in text.split("\n"))


def short(text: str) -> str:
    """As ``plain``. A name that is too long for a table is shortened, and a hash makes it unique."""
    if len(text) <= _LONGEST:
        return plain(text)
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain(text[: _LONGEST // 2])}...#{digest}"


def csv_safe(text: str) -> str:
    """A text that is no formula in a spreadsheet (OWASP: CSV injection), with any separator of columns."""
    inside = re.sub(r"(?<=[;\t|])([^\S\t]*+)(?=[=+\-@＝＋－＠])", r"\1'", text)  # noqa: RUF001 - as above
    return "'" + inside if inside.lstrip().startswith(_FORMULA) else inside


def markdown_safe(text: str) -> str:
    """A text that stays inside its table cell."""
    return "".join(_MARKDOWN.get(character, character) for character in text)
