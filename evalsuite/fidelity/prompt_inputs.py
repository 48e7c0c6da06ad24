"""What golden prompt cases refer to: tokenizers, generated rows, published rows; each read once."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.interfaces import Encoding, JoinedText, Tokenizer

REMEMBERED_TEXTS = 512
REMEMBERED_OFFSETS = 4


class RememberingTokenizer:
    """A tokenizer that knows the ids of the texts it saw last: many cases share a document and its cuts."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._seen: OrderedDict[bytes, array[int]] = OrderedDict()
        self._offsets = lru_cache(REMEMBERED_OFFSETS)(tokenizer.offsets)

    @property
    def bos_id(self) -> int | None:
        """As the tokenizer's."""
        return self._tokenizer.bos_id

    @property
    def eos_ids(self) -> frozenset[int]:
        """As the tokenizer's."""
        return self._tokenizer.eos_ids

    @cached_property
    def _frame(self) -> tuple[list[int], list[int]]:
        """The special tokens put in front of any text, and behind it."""
        plain, framed = self._tokenizer.encode("a"), self._tokenizer.encode("a", special_tokens=True)
        front = next(at for at in range(len(framed)) if framed[at : at + len(plain)] == plain)
        return framed[:front], framed[front + len(plain) :]

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids as the tokenizer gives them."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key not in self._seen:
            self._seen[key] = array("l", self._tokenizer.encode(text))
        self._seen.move_to_end(key)
        if len(self._seen) > REMEMBERED_TEXTS:
            self._seen.popitem(last=False)
        front, back = self._frame if special_tokens else ([], [])
        return [*front, *self._seen[key], *back]

    def encode_literal(self, text: str) -> Encoding:
        """As the tokenizer's."""
        return self._tokenizer.encode_literal(text)

    def encode_joined(self, texts: Sequence[str]) -> JoinedText:
        """As the tokenizer's."""
        return self._tokenizer.encode_joined(texts)

    def encode_template(self, text: str) -> list[int]:
        """As the tokenizer's."""
        return self._tokenizer.encode_template(text)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """As the tokenizer's."""
        return self._offsets(text)

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """As the tokenizer's."""
        return self._tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)


class PromptContext:
    """Where prompt cases find what they name."""

    def __init__(self, folder: Path, *, tokenizers: Path | None = None, data: Path | None = None) -> None:
        """Nothing is read yet.

        Args:
            folder: the folder of the case file; the generated rows lie in it, else in EVALSUITE_GOLDEN.
            tokenizers: a folder of tokenizer folders; by default ``tokenizers`` in ``folder`` or EVALSUITE_GOLDEN.
            data: the folder of the published data; by default EVALSUITE_DATA, else ``data`` beside ``folder``.
        """
        golden, published = os.environ.get("EVALSUITE_GOLDEN"), os.environ.get("EVALSUITE_DATA")
        self._folders = (folder, *([Path(golden)] if golden else []))
        homes = [home / "tokenizers" for home in self._folders]
        self._tokenizers = tokenizers or next((home for home in homes if home.is_dir()), homes[0])
        self._data = data or (Path(published) if published else folder.resolve().parent / "data")
        self._loaded: dict[str, RememberingTokenizer] = {}
        self._published: dict[tuple[str, str], list[Mapping[str, Any]]] = {}

    def tokenizer(self, name: str) -> Tokenizer:
        """A tokenizer by its folder's name.

        Raises:
            UsageError: no such folder.
        """
        if name not in self._loaded:
            from evalsuite.tokenizers import load_tokenizer

            folder = self._tokenizers / name
            if not folder.is_dir():
                raise UsageError(f"no tokenizer {folder}; give its parent folder with --tokenizers")
            self._loaded[name] = RememberingTokenizer(load_tokenizer(str(folder)))
        return self._loaded[name]

    def record(self, name: str) -> Mapping[str, Any]:
        """A generated row by its record's name.

        Raises:
            UsageError: no record of that name beside the cases.
        """
        if name not in self._records:
            where = self._folders[0] / "*records*.jsonl(.gz)"
            raise UsageError(f"no record {name!r} in {where}; put the file of generated rows beside the cases")
        return self._records[name]

    def published(self, folder: str, name: str, index: int) -> Mapping[str, Any]:
        """A row of a published JSON Lines file, by the dataset's folder, the file's stem and the 0-based line.

        Raises:
            UsageError: the file is not in the data folder, or shorter.
        """
        if (folder, name) not in self._published:
            files = sorted((self._data / folder).rglob(f"{name}.jsonl*"))
            if not files:
                where = self._data / folder
                raise UsageError(f"no {name}.jsonl(.gz) below {where}; set EVALSUITE_DATA to the data folder")
            self._published[folder, name] = list(_lines(files[0]))
        rows = self._published[folder, name]
        if index >= len(rows):
            raise UsageError(f"{name}.jsonl has {len(rows)} rows; a case asks for row {index} (0-based)")
        return rows[index]

    @cached_property
    def _records(self) -> dict[str, Mapping[str, Any]]:
        # The case file's own folder comes last: its rows count where both hold a name.
        files = [file for folder in reversed(self._folders) for file in sorted(folder.glob("*records*.jsonl*"))]
        return {line["record"]: line["row"] for file in files for line in _lines(file)}


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())
