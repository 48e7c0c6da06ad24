"""Reading a document once: ids of ``head + tail`` from the kept ids of ``head``, where that is proven to be the same.

Many questions stand behind one long text. Its ids can be kept when a border near its end is known to be one that no
token crosses, whatever follows; then only the stretch behind that border is encoded with each tail. Two families of
tokenizers have such borders:

- *pre-tokenized* ones (byte-level BPE with a regular expression, BERT): the expression scans left to right without
  looking back, so the beginning of a piece is a border once the text goes on for two more characters;
- *metaspace* ones (Llama 2): no entry of the vocabulary holds a space behind another character, so no token crosses
  into a single space.

For any other tokenizer the whole text is encoded every time.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.protocols import Encoding

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

KEPT_HEADS = 4
SHORT = 512
"""Characters below which a head is not worth keeping."""
_SPACES = " \u2581"

Kind = Literal["pre-tokenized", "metaspace"]


@dataclass(frozen=True, slots=True)
class _Head:
    """A kept text: its ids up to a border, and where the border stands."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    border: int


class JoinedEncoder:
    """Encodes ``head + tail``, each head once; exactly the ids and offsets of encoding the whole."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._description = json.loads(backend.to_str())
        self.kind: Kind | None = family(self._description)
        self._added = tuple(token["content"] for token in self._description["added_tokens"] if not token["special"])
        self._heads: OrderedDict[str, _Head | None] = OrderedDict()
        self.encoded_characters = 0
        """Characters encoded so far: the measure of how often documents were read."""

    def encode(self, head: str, tail: str) -> Encoding:
        """Ids and offsets of ``head + tail``."""
        kept = self._head(head) if self.kind and len(head) >= SHORT else None
        if kept is None:
            return self._encode(head + tail)
        skipped = 1 if self.kind == "metaspace" else 0
        rest = self._encode(head[kept.border + skipped :] + tail)
        moved = [(start + kept.border + skipped, end + kept.border + skipped) for start, end in rest.offsets]
        if skipped:
            # the space in front of the word was left out because the tokenizer puts one there itself
            alone = self._backend.id_to_token(rest.ids[0]) == "\u2581"
            moved[0] = (kept.border, kept.border + 1 if alone else moved[0][1])
        return Encoding(kept.ids + rest.ids, kept.offsets + tuple(moved))

    def _head(self, text: str) -> _Head | None:
        if text in self._heads:
            self._heads.move_to_end(text)
            return self._heads[text]
        self._heads[text] = made = self._make(text)
        if len(self._heads) > KEPT_HEADS:
            self._heads.popitem(last=False)
        return made

    def _make(self, text: str) -> _Head | None:
        encoding = self._backend.encode(text, add_special_tokens=False)
        self.encoded_characters += len(text)
        offsets = encoding.offsets
        at = _last_word(text, encoding) if self.kind == "pre-tokenized" else _last_space(text, offsets)
        if at is None or self._crosses(text, offsets[at][0]):
            return None
        return _Head(tuple(encoding.ids[:at]), tuple(offsets[:at]), offsets[at][0])

    def _crosses(self, text: str, border: int) -> bool:
        """Whether an added token (matched before anything else) may stand across the border."""
        return any(token in text[max(0, border - len(token)) : border + len(token)] for token in self._added if token)

    def _encode(self, text: str) -> Encoding:
        self.encoded_characters += len(text)
        encoding = self._backend.encode(text, add_special_tokens=False)
        return Encoding(tuple(encoding.ids), tuple(encoding.offsets))


def family(description: dict[str, Any]) -> Kind | None:
    """Which proof of a border holds for a tokenizer (as ``tokenizer.json`` describes it); None when none does."""
    normalizer, pieces = description["normalizer"], description["pre_tokenizer"]
    if description["model"]["type"] == "BPE" and description["model"].get("dropout"):
        return None
    if _is_metaspace(normalizer, pieces):
        crossing = re.compile("[^\u2581]\u2581")
        return None if any(map(crossing.search, description["model"]["vocab"])) else "metaspace"
    local = all(step["type"] in _LOCAL_NORMALIZERS for step in _steps(normalizer, "normalizers"))
    scans = _steps(pieces, "pretokenizers")
    return "pre-tokenized" if local and scans and all(map(_scans_forward, scans)) else None


_LOCAL_NORMALIZERS = ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "BertNormalizer", "StripAccents")
"""They change characters, not what stands before an ASCII character."""


def _steps(step: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    if step is None:
        return []
    return list(step[name]) if step["type"] == "Sequence" else [step]


def _scans_forward(step: dict[str, Any]) -> bool:
    if step["type"] == "ByteLevel":
        return not step["add_prefix_space"]
    if step["type"] == "Split":
        return "(?<" not in step["pattern"].get("Regex", "") and step["behavior"] in ("Isolated", "Removed")
    return step["type"] in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Digits", "Punctuation")


def _is_metaspace(normalizer: dict[str, Any] | None, pieces: dict[str, Any] | None) -> bool:
    if pieces is not None or normalizer is None or normalizer["type"] != "Sequence":
        return False
    prepend = {"type": "Prepend", "prepend": "\u2581"}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    return bool(normalizer["normalizers"] == [prepend, replace])


def _last_word(text: str, encoding: Any) -> int | None:
    """Index of the last token that begins a piece with an ASCII character, two characters or more before the end."""
    words, offsets = encoding.word_ids, encoding.offsets
    for at in range(len(words) - 1, 0, -1):
        start = offsets[at][0]
        # offsets may leave out a space that belongs to the token: the border is where the piece before it ended
        if (
            words[at] != words[at - 1]
            and start + 2 <= len(text)
            and offsets[at - 1][1] == start
            and text[start].isascii()
        ):
            return at
    return None


def _last_space(text: str, offsets: list[tuple[int, int]]) -> int | None:
    """Index of the last token that begins with a single space between two other characters."""
    for at in range(len(offsets) - 1, 0, -1):
        start = offsets[at][0]
        around = text[start - 1 : start + 2]
        if around[1:2] == " " and around[0] not in _SPACES and around[2:] not in ("", *_SPACES):
            return at
    return None
