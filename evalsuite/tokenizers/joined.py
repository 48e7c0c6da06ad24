"""Encodes a long text once. Joined and cut texts use its ids again.

Many questions share one long text, and a prompt that is too long loses a part of it. The ids must equal those of the
whole prompt. But only the text near a joint is encoded again: from the last border before the joint to the first border
after it. A border is a place where the tokenizer always divides a text (module ``borders``). Elsewhere, the ids of the
first encoding are used. For a tokenizer without known borders, the whole text is encoded every time.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from evalsuite.tokenizers.borders import borders
from evalsuite.types import Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

KEPT_TOKENS = 2_000_000
"""Number of tokens that are kept, about twelve bytes each. Texts that were not used for a long time go first."""
SHORT = 512
"""Shorter texts are not kept."""
_LAST = 64
"""The last border of a text is first searched in this many characters."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text, in characters."""

    text: str
    start: int
    end: int

    @property
    def characters(self) -> str:
        """What it holds."""
        whole = self.start == 0 and self.end == len(self.text)
        return self.text if whole else self.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Read:
    """Ids of a text, and the characters at which its tokens start."""

    ids: tuple[int, ...]
    starts: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some tokens of an encoded text, used in another text."""

    read: _Read
    first: int
    end: int
    shift: int
    """The shift of their positions."""


class Joined:
    """The tokens of a joined text."""

    def __init__(self, encoder: JoinedEncoder, stretches: Sequence[Stretch], pieces: Sequence[_Piece]) -> None:
        self._encoder, self._stretches, self._pieces = encoder, stretches, pieces
        self._firsts: list[int] = []
        total = 0
        for piece in pieces:
            self._firsts.append(total)
            total += piece.end - piece.first
        self._length = total

    def __len__(self) -> int:
        return self._length

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """All token ids."""
        found: list[int] = []
        for piece in self._pieces:
            found += piece.read.ids[piece.first : piece.end]
        return tuple(found)

    def start(self, index: int) -> int:
        """The character at which a token starts, by the position of the token."""
        at = bisect_left(self._firsts, index + 1) - 1
        piece = self._pieces[at]
        return piece.read.starts[piece.first + index - self._firsts[at]] + piece.shift

    def before(self, character: int) -> int:
        """How many tokens start before a character."""
        found = 0
        for first, piece in zip(self._firsts, self._pieces, strict=True):
            if piece.first < piece.end and piece.read.starts[piece.first] + piece.shift >= character:
                break
            found = (
                first + bisect_left(piece.read.starts, character - piece.shift, piece.first, piece.end) - piece.first
            )
        return found

    def without(self, removed: Span) -> Joined:
        """The text without a part of it."""
        return self._encoder.encode(tuple(_without(self._stretches, removed)))


class JoinedEncoder:
    """Encodes joined texts, each long text once. The ids equal those of the whole text."""

    def __init__(self, backend: Backend) -> None:
        from tokenizers import Tokenizer as Backend

        self._backend = backend
        self._borders = borders(json.loads(backend.to_str()))
        self._middle = backend
        if self._borders is not None and self._borders.inside is not None:
            self._middle = Backend.from_str(json.dumps(self._borders.inside))
            self._middle.encode_special_tokens = backend.encode_special_tokens
        self._read: OrderedDict[str, _Read] = OrderedDict()
        self._ids: dict[int, int] = {}
        """One object for each id, because prompts have millions of ids."""
        self._kept = 0
        self._lock = Lock()
        self.encoded_characters = 0
        """Characters encoded so far: the measure of how often documents were read."""

    @property
    def proven(self) -> bool:
        """Whether the tokenizer has known borders."""
        return self._borders is not None

    def encode(self, stretches: Sequence[Stretch]) -> Joined:
        """The tokens of the parts, one after the other."""
        if self._borders is None:
            whole = self._known("".join(stretch.characters for stretch in stretches))
            return Joined(self, stretches, (_Piece(whole, 0, len(whole.ids), 0),))
        return Joined(self, stretches, tuple(self._pieces(stretches)))

    def _pieces(self, stretches: Sequence[Stretch]) -> Iterator[_Piece]:
        """The kept tokens and, between them, newly encoded text from one border to the next."""
        fresh: list[str] = []
        began = position = 0
        for stretch in stretches:
            borders = self._ends(stretch)
            if borders is None:
                fresh.append(stretch.characters)
            else:
                first, last = borders
                fresh.append(stretch.text[stretch.start : first])
                yield self._anew("".join(fresh), began)
                shift = position - stretch.start
                read = self._known(stretch.text)
                yield _Piece(read, bisect_left(read.starts, first), bisect_left(read.starts, last), shift)
                fresh, began = [stretch.text[last : stretch.end]], last + shift
            position += stretch.end - stretch.start
        yield self._anew("".join(fresh), began)

    def _anew(self, text: str, began: int) -> _Piece:
        read = self._encode(text, self._middle if began else self._backend)
        return _Piece(read, 0, len(read.ids), began)

    def _ends(self, stretch: Stretch) -> tuple[int, int] | None:
        """The first and the last border of a part; None if it is short or has fewer than two borders."""
        if self._borders is None or stretch.end - stretch.start < SHORT:
            return None
        expression = self._borders.expression
        found = expression.search(stretch.text, stretch.start, stretch.end)
        if found is None:
            return None
        first, back = found.end(), _LAST
        while True:
            begin = max(first, stretch.end - back)
            last = max((place.end() for place in expression.finditer(stretch.text, begin, stretch.end)), default=None)
            if last is not None:
                return first, last
            if begin == first:
                return None
            back *= 8

    def _known(self, text: str) -> _Read:
        """The tokens of a text. They are kept until other texts need the room."""
        with self._lock:
            if text in self._read:
                self._read.move_to_end(text)
                return self._read[text]
        read = self._encode(text, self._backend)
        with self._lock:
            self._kept += len(read.ids) if text not in self._read else 0
            self._read[text] = read
            while self._kept > KEPT_TOKENS and len(self._read) > 1:
                self._kept -= len(self._read.popitem(last=False)[1].ids)
        return read

    def _encode(self, text: str, backend: Backend) -> _Read:
        self.encoded_characters += len(text)
        encoding = backend.encode(text, add_special_tokens=False)
        ids = encoding.ids
        return _Read(tuple(map(self._ids.setdefault, ids, ids)), array("I", [start for start, _ in encoding.offsets]))


def _without(stretches: Iterable[Stretch], removed: Span) -> Iterator[Stretch]:
    position = 0
    for stretch in stretches:
        shift = stretch.start - position
        for start, end in ((0, removed.start), (removed.end, position + stretch.end - stretch.start)):
            kept = Stretch(stretch.text, max(stretch.start, start + shift), min(stretch.end, end + shift))
            if kept.start < kept.end:
                yield kept
        position += stretch.end - stretch.start
