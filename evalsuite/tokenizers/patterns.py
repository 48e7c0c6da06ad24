"""What a regular expression can never match: a character of one class followed at once by one of another.

A tokenizer cuts a text into pieces with such an expression. Where no match can hold a letter followed by a space,
every text falls apart between the two, whatever stands around them. The expression is read into the places it can
stand at and the places that may follow each of them; anything that is not understood counts as no proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

Matches = Callable[[str, str], bool]
"""Whether a single-character expression matches any character of a text, asked of the tokenizer's own engine."""


class NotUnderstoodError(ValueError):
    """The expression uses something this reader does not follow."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of an expression: the atoms it may begin and end with, and whether it may be empty."""

    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    empty: bool = True
    plain: bool = True
    """It looks at nothing but what it matches, gives back what it took, and asks for no number of repetitions."""


@dataclass(frozen=True, slots=True)
class Expression:
    """The atoms of an expression and which may follow which."""

    atoms: tuple[str, ...]
    follow: frozenset[tuple[int, int]]
    sure: frozenset[int]
    """Atoms that are a match by themselves: an alternative needs nothing else."""

    def never_crosses(self, left: str, right: str, matches: Matches) -> bool:
        """Whether no match, and no look ahead, goes from a character of ``left`` on to one of ``right``."""
        ends = {at for at, atom in enumerate(self.atoms) if matches(atom, left)}
        begins = {at for at, atom in enumerate(self.atoms) if matches(atom, right)}
        return not any(one in ends and other in begins for one, other in self.follow)

    def always_matches(self, characters: str, matches: Matches) -> bool:
        """Whether a match can begin at each of these characters, whatever follows."""
        return all(any(matches(self.atoms[at], one) for at in self.sure) for one in characters)


def read(pattern: str) -> Expression:
    """Reads an expression.

    Raises:
        NotUnderstoodError: it looks behind, names positions, refers back, matches nothing, or uses unknown syntax.
    """
    reader = _Reader(pattern)
    whole = reader.alternatives(top=True)
    if reader.left or whole.empty:  # a match of nothing is searched for again one character further on
        raise NotUnderstoodError(pattern)
    return Expression(tuple(reader.atoms), frozenset(reader.follow), frozenset(reader.sure))


def literal(text: str) -> str:
    """The expression that matches exactly this text."""
    return re.escape(text)


_CLASS = re.compile(
    r"\\[pP]\{\^?\w+\}|\\[sSdDwWhH]|\\[nrtfv]|\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[^\w]|[^\\^$()|?*+{}\[\]]"
)
_REPEAT = re.compile(r"[*+?][?+]?|\{\d*,?\d*\}[?+]?")
_LOOK = ("(?=", "(?!")
_GROUP = re.compile(r"\((?:\?:|\?i:|(?!\?))")


@dataclass(slots=True)
class _Reader:
    left: str
    atoms: list[str] = field(default_factory=list)
    follow: set[tuple[int, int]] = field(default_factory=set)
    sure: set[int] = field(default_factory=set)
    folded: bool = False

    def alternatives(self, *, top: bool = False) -> _Part:
        parts = [self._sequence(top=top)]
        while self._take("|"):
            parts.append(self._sequence(top=top))
        return _Part(
            _union(part.first for part in parts),
            _union(part.last for part in parts),
            any(part.empty for part in parts),
            all(part.plain for part in parts),
        )

    def _sequence(self, *, top: bool) -> _Part:
        items: list[_Part] = []
        while self.left and self.left[0] not in "|)":
            items.append(self._item())
        whole = _Part()
        for item in items:
            self.follow.update((one, other) for one in whole.last for other in item.first)
            whole = _Part(
                whole.first | item.first if whole.empty else whole.first,
                whole.last | item.last if item.empty else item.last,
                whole.empty and item.empty,
                whole.plain and item.plain,
            )
        needed = [item for item in items if not item.empty]
        if top and whole.plain and len(needed) == 1 and needed[0].first == needed[0].last:
            self.sure |= needed[0].first
        return whole

    def _item(self) -> _Part:
        part = self._one()
        found = _REPEAT.match(self.left)
        if not found:
            return part
        self.left = self.left[found.end() :]
        sign = found[0]
        if sign != "?":
            self.follow.update((one, other) for one in part.last for other in part.first)
        optional = sign[0] in "*?" or sign.startswith(("{0", "{,"))
        # a repetition that gives nothing back, or needs several, is no match of one character by itself
        greedy = optional and sign.endswith("+")
        several = sign[0] == "{" and not optional and not sign.startswith("{1,")
        return replace(part, empty=part.empty or optional, plain=part.plain and not greedy and not several)

    def _one(self) -> _Part:
        if self.left.startswith(_LOOK):
            self.left = self.left[3:]
            seen = self.alternatives()
            self._close()
            # what it looks at must not lie across a border either: followed, but never the end of a match
            return _Part(seen.first, frozenset(), empty=True, plain=False)
        opened = _GROUP.match(self.left)
        if opened:
            before, self.folded = self.folded, self.folded or "i" in opened[0]
            self.left = self.left[opened.end() :]
            inner = self.alternatives()
            self._close()
            self.folded = before
            return inner
        return self._atom(self._set() if self.left.startswith("[") else self._character())

    def _atom(self, text: str) -> _Part:
        self.atoms.append(f"(?i:{text})" if self.folded else text)
        here = frozenset({len(self.atoms) - 1})
        return _Part(here, here, empty=False)

    def _character(self) -> str:
        found = _CLASS.match(self.left)
        if not found:
            raise NotUnderstoodError(self.left)
        self.left = self.left[found.end() :]
        return found[0]

    def _set(self) -> str:
        depth, at = 0, 0
        while at < len(self.left):
            sign = self.left[at]
            depth += (sign == "[") - (sign == "]")
            at += 2 if sign == "\\" else 1
            if not depth:
                found, self.left = self.left[:at], self.left[at:]
                return found
        raise NotUnderstoodError(self.left)

    def _take(self, sign: str) -> bool:
        taken = self.left.startswith(sign)
        self.left = self.left[taken:]
        return taken

    def _close(self) -> None:
        if not self._take(")"):
            raise NotUnderstoodError(self.left)


def _union(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset[int]().union(*sets)
