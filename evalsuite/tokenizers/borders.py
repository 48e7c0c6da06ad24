# ruff: noqa: RUF001 - letters of other scripts are meant
"""Borders: places where a tokenizer always divides a text, whatever is around them.

The ids of a text are the ids of its parts between such places, one after the other. So a known part need not be encoded
again. Two kinds of places are tried: a letter followed by " x", and a Chinese character followed by a comma or full
stop. A kind is used only if it is proven that every step of the tokenizer keeps the two sides apart:

- the normalizer changes characters one by one there;
- no match of a pre-tokenizer's expression holds both characters (``patterns``), and one step always divides there; or
- without pre-tokenizer, no entry of a BPE vocabulary holds both characters, so no merge can join them.

A tokenizer with another step has no borders. Its texts are encoded whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from evalsuite.tokenizers.patterns import NotUnderstoodError, literal, read

METASPACE = "\u2581"
_LETTERS = (("A", "Z"), ("a", "z"), ("À", "Ö"), ("Ø", "ö"), ("ø", "ÿ"), ("Α", "Ρ"), ("Σ", "Ω"), ("α", "ω"), ("А", "я"))
_MORE_LETTERS = (("א", "ת"), ("ء", "غ"), ("ف", "ي"), ("가", "힣"))
_IDEOGRAPHS = (("\u4e00", "\u9fa5"),)
_TAKEN_APART = (("\u0300", "\u036f"), ("\u0653", "\u0655"), ("\u1100", "\u11ff"))
"""Accents and the parts of Korean syllables."""

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""The expression built into the byte-level pre-tokenizer."""
WORDS = r"\w+|[^\w\s]+|\s+"
"""Where the pre-tokenizer ``Whitespace`` divides (it drops the last alternative's matches)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Two characters between which a text may come apart."""

    left: tuple[tuple[str, str], ...]
    """Ranges of the character before."""
    right: str
    """What may stand behind; one more of ``left`` must follow, so that no combining mark does."""
    apart: tuple[tuple[str, str], ...] = ()
    """Ranges of the marks that a normalizer may take them apart into."""

    @property
    def expression(self) -> str:
        """Matches the character before a place."""
        left = "".join(f"{first}-{last}" for first, last in self.left)
        return f"[{left}](?=[{self.right}][{left}])"

    @property
    def characters(self) -> str:
        """All that may stand before, and what a normalizer may take it apart into."""
        return "".join(chr(code) for first, last in self.left + self.apart for code in range(ord(first), ord(last) + 1))


SPACE = Kind((*_LETTERS, *_MORE_LETTERS), " ", _TAKEN_APART)
COMMA = Kind(_IDEOGRAPHS, "，。、")


@dataclass(frozen=True, slots=True)
class Borders:
    """How a tokenizer's texts come apart."""

    expression: re.Pattern[str]
    """Matches the character before a place where they do."""
    inside: dict[str, Any] | None
    """The tokenizer as it works in the middle of a text, without the space that it puts in front; None: the same."""


def borders(description: dict[str, Any]) -> Borders | None:
    """Where texts come apart for a tokenizer, as ``tokenizer.json`` describes it; None where nothing is proven."""
    model = description["model"]
    if model["type"] not in ("BPE", "WordPiece", "WordLevel", "Unigram") or model.get("dropout"):
        return None
    inside = _inside(description)
    if inside is None:
        return None
    prefixed = inside != description
    kinds = [kind for kind in (SPACE, COMMA) if _proven(inside, kind) and _added_apart(inside, kind, alone=prefixed)]
    if not kinds:
        return None
    return Borders(re.compile("|".join(kind.expression for kind in kinds)), inside if prefixed else None)


def _inside(description: dict[str, Any]) -> dict[str, Any] | None:
    """The tokenizer without the prefix it gives to a text; None where that is not understood."""
    normalizers = steps(description["normalizer"], "normalizers")
    kept = [step for step in normalizers if step["type"] != "Prepend"]
    splits = steps(description["pre_tokenizer"], "pretokenizers")
    plain = [_without_prefix(step) for step in splits]
    if [step["type"] for step in splits] == ["WhitespaceSplit", "Metaspace"] and splits[1][
        "prepend_scheme"
    ] == "always":
        plain = splits  # every word gets the prefix, at the beginning and in the middle alike
    if plain[1:] != splits[1:]:
        return None
    made = dict(description)
    if kept != normalizers:
        made["normalizer"] = {"type": "Sequence", "normalizers": kept}
    if plain != splits:
        made["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": plain}
    return made


def _without_prefix(step: dict[str, Any]) -> dict[str, Any]:
    if step["type"] == "Metaspace":
        return {**step, "prepend_scheme": "never"}
    return {**step, "add_prefix_space": False} if step.get("add_prefix_space") else step


def steps(step: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    """A normalizer's or pre-tokenizer's steps, one or a sequence of them."""
    if step is None:
        return []
    return [inner for one in step[name] for inner in steps(one, name)] if step["type"] == "Sequence" else [step]


def _proven(description: dict[str, Any], kind: Kind) -> bool:
    normalizers = steps(description["normalizer"], "normalizers")
    splits = steps(description["pre_tokenizer"], "pretokenizers")
    spaces = [step for step in normalizers if step == _SPACES_MARKED]
    if not all(step == _SPACES_MARKED or _local(step, kind) for step in normalizers):
        return False
    if spaces:  # no space is left for a pre-tokenizer to divide at
        splits = [step for step in splits if step.get("pattern") != {"String": " "}]
        return normalizers[-1] == _SPACES_MARKED and not splits and _never_merged(description["model"], kind)
    if len(splits) == 1 and splits[0]["type"] == "Metaspace" and not splits[0].get("split", True):
        return splits[0]["replacement"] == METASPACE and _never_merged(description["model"], kind)
    found = [_divides(step, kind, last=at == len(splits) - 1) for at, step in enumerate(splits)]
    return None not in found and True in found


_SPACES_MARKED = {"type": "Replace", "pattern": {"String": " "}, "content": METASPACE}


def _local(step: dict[str, Any], kind: Kind) -> bool:
    """Whether a normalizer changes nothing but single characters around a place, and not what is right of it."""
    if step["type"] in ("NFC", "NFD", "Lowercase", "BertNormalizer", "StripAccents"):
        return True
    if step["type"] == "Strip":
        return not step["strip_left"]
    if step["type"] == "Replace":  # of runs of spaces: a place has one
        return kind is SPACE and step["pattern"] == {"Regex": " {2,}"}
    if step["type"] == "Precompiled":
        return kind is SPACE and _keeps_spaces(json.dumps(step))
    return kind is SPACE and step["type"] in ("NFKC", "NFKD")  # they make another comma of a full-width one


def _divides(step: dict[str, Any], kind: Kind, *, last: bool) -> bool | None:
    """Whether a pre-tokenizer divides at every such place; False where it only joins nothing; None without proof."""
    name = step["type"]
    if name in _FIXED:
        return kind in _FIXED[name]
    if name == "ByteLevel" and last:  # it rewrites every character: a step behind it could not be told
        return _scans(GPT2, kind) if step.get("use_regex", True) else False
    if name == "Metaspace" and last and step["replacement"] == METASPACE and step.get("split", True):
        return kind is SPACE
    if name == "Punctuation" and step["behavior"] in _APART:
        return kind is COMMA
    if name == "Split" and step["behavior"] in _APART:
        return _scans(step["pattern"].get("Regex") or literal(step["pattern"]["String"]), kind)
    return _scans(WORDS, kind) if name == "Whitespace" else None


_APART = ("Isolated", "Removed")
"""Behaviors that make a piece of every match."""
_FIXED: dict[str, tuple[Kind, ...]] = {"BertPreTokenizer": (SPACE, COMMA), "WhitespaceSplit": (SPACE,), "Digits": ()}
"""Pre-tokenizers that look at characters one by one, and where they divide."""


def _scans(pattern: str, kind: Kind) -> bool | None:
    """As ``_divides``, for an expression that a text is searched for from left to right."""
    try:
        expression = read(pattern)
        if not expression.never_crosses(kind.characters, kind.right, _matches):
            return None
        return expression.always_matches(kind.right, _matches)
    except (NotUnderstoodError, RuntimeError, ValueError):
        return None


@cache
def _matches(atom: str, text: str) -> bool:
    """Whether a single-character expression matches any character of a text; asked of the tokenizers' own engine."""
    try:
        from tokenizers import Regex
        from tokenizers.pre_tokenizers import Split

        return bool(Split(Regex(f"(?:{atom})+"), "removed").pre_tokenize_str(text) != [(text, (0, len(text)))])
    except Exception as error:  # the library raises bare exceptions for an expression it does not take
        raise NotUnderstoodError(atom) from error


def _keeps_spaces(step: str) -> bool:
    from tokenizers import Tokenizer, models

    empty = json.loads(Tokenizer(models.BPE()).to_str())
    normalizer = Tokenizer.from_str(json.dumps({**empty, "normalizer": json.loads(step)})).normalizer
    return bool(normalizer.normalize_str("a b") == "a b")


def _never_merged(model: dict[str, Any], kind: Kind) -> bool:
    """Whether no token of a BPE without pre-tokenizer holds both characters of a place."""
    if model["type"] != "BPE" or model.get("ignore_merges"):
        return False
    right = METASPACE if kind is SPACE else kind.right
    crossing = re.compile(f"[^{right}][{right}]")
    known = all(character in model["vocab"] for character in right)  # unknown ones may be fused into one token
    return known and not any(map(crossing.search, model["vocab"]))


def _added_apart(description: dict[str, Any], kind: Kind, *, alone: bool) -> bool:
    """Whether tokens that are looked for before anything else can neither lie across a place nor change it."""
    return not any(_near(token, kind, alone=alone) for token in _plain_added(description))


def _near(token: dict[str, Any], kind: Kind, *, alone: bool) -> bool:
    spread = token["lstrip"] or token["rstrip"] or token["single_word"]
    across = re.search(f"[{kind.expression[1:].split(']', 1)[0]}][{kind.right}\\s]", token["content"])
    return alone or spread or across is not None


def _plain_added(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Added tokens that stand for their spelling even in a user's text."""
    return (token for token in description["added_tokens"] if not token["special"])
