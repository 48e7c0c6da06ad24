"""The key and every form in which a server or a library may repeat it."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from functools import cached_property

from evalsuite.engines.checked import writable

MASK = "***"
MOST_SHOWN = 300
"""Characters of a server's message that go into an error."""
MOST_READ = 1 << 14
"""Characters that are searched for the key; none behind them is shown."""
SHORTEST = 4
"""Characters below which a key is no secret but a placeholder that other words hold too."""
BEGINNING = 8
"""So much of a key's beginning is masked too: servers repeat keys cut short."""
UNMISTAKABLE = 12
"""Characters from which a key in an answer is the key, not a word such as EMPTY."""
MOST_OF_IT = 0.5
"""What vendors put before every key of theirs is less."""


class Secret:
    """A key that goes into the header of requests and nowhere else."""

    def __init__(self, key: str | None) -> None:
        self._key = key or ""

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries."""
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def shown(self, text: str) -> str:
        """A server's words, without the key in any form, then shortened and fit to be written."""
        text = text[:MOST_READ]
        for form in self._forms:
            text = _masked(text, form)
        return writable(" ".join(text.split())[:MOST_SHOWN])

    def held_in(self, text: str) -> bool:
        """Whether most of the key stands in a text in any form."""
        if len(self._key) < UNMISTAKABLE:
            return False
        return any(share > MOST_OF_IT for form in self._forms for _, _, share in _found(text, form))

    @cached_property
    def _forms(self) -> tuple[Form, ...]:
        if len(self._key) < SHORTEST:
            return ()
        key = self._key.encode()
        plain, digits = map(_spelled, self._key), map(_spelled, key.hex())
        return tuple(map(Form, (tuple(plain), tuple(digits), *(_base64(key, before) for before in range(3)))))


class Form:
    """A way to write a key, a pattern for each character."""

    def __init__(self, characters: tuple[str, ...]) -> None:
        self.beginning = re.compile("".join(characters[:BEGINNING]), re.IGNORECASE | re.ASCII)
        self.rest = tuple(re.compile(character, re.IGNORECASE | re.ASCII) for character in characters[BEGINNING:])


def _spelled(character: str) -> str:
    """A character as it is, behind backslashes, or as addresses, web pages, JSON and Python spell it."""
    code = f"{ord(character):02x}"
    named = re.escape(html.escape(character))
    return (
        rf"(?:\\{{0,8}}{re.escape(character)}|%(?:25){{0,4}}{code}|\\{{1,8}}(?:u00|x){code}"
        rf"|&\#(?:0{{0,4}}{ord(character)}|x0{{0,4}}{code});|{named})"
    )


def _base64(key: bytes, before: int) -> tuple[str, ...]:
    """A key inside base64 with so many bytes (modulo 3) before it, whatever stands around it, in both alphabets."""
    first, end = (0, 2, 3)[before], (before + len(key)) * 8 // 6
    text = base64.b64encode(bytes(before) + key).decode()[first:end]
    either = {"+": "(?:" + _spelled("+") + "|-)", "/": "(?:" + _spelled("/") + "|_)"}
    return tuple(either.get(character) or _spelled(character) for character in text)


def _found(text: str, form: Form) -> Iterator[tuple[int, int, float]]:
    """Where a form, or a long enough beginning of it, stands; and what share of the form it is."""
    at = 0
    while found := form.beginning.search(text, at):
        at, count = found.end(), BEGINNING
        for character in form.rest:
            if not (match := character.match(text, at)):
                break
            at, count = match.end(), count + 1
        yield found.start(), at, count / (BEGINNING + len(form.rest))


def _masked(text: str, form: Form) -> str:
    pieces: list[str] = []
    last = 0
    for start, end, _ in _found(text, form):
        pieces += [text[last:start], MASK]
        last = end
    return "".join([*pieces, text[last:]])
