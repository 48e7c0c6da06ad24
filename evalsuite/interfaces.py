"""The two protocols over token ids: tokenizers and engines; and what a benchmark's own cut rule takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from evalsuite.records import EngineInfo
from evalsuite.types import Completion, Parts, Removal, Request, Sample, Span


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of a text and, for each, the characters it stands for."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class JoinedText(Protocol):
    """The tokens of a text put together from others: exactly those of encoding it whole."""

    def __len__(self) -> int:
        """Number of tokens."""

    @property
    def ids(self) -> tuple[int, ...]:
        """All token ids."""

    def start(self, index: int) -> int:
        """The character the token at a position starts at."""

    def before(self, character: int) -> int:
        """How many tokens start before a character."""

    def without(self, removed: Span) -> JoinedText:
        """The text with a stretch of it left out."""


class Tokenizer(Protocol):
    """What prompts, cuts and engines need of a tokenizer."""

    @property
    def bos_id(self) -> int | None:
        """The id put in front of every prompt, None where the model has none."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end a generation."""

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids as the official scripts get them: special strings in the text are read as special tokens.

        Args:
            text: any text.
            special_tokens: also add the tokenizer's own BOS/EOS frame.
        """

    def encode_literal(self, text: str) -> Encoding:
        """Ids without any frame; a special token's spelling inside the text stays text."""

    def encode_joined(self, texts: Sequence[str]) -> JoinedText:
        """The tokens of ``encode_literal("".join(texts))``; a long text seen before need not be read again."""

    def encode_template(self, text: str) -> list[int]:
        """Ids of a chat template's own text, where special strings are special tokens."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of ``encode(text)``."""

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids, without cleaning up spaces."""


class PromptSide(Protocol):
    """What making prompts needs of a model: no weights."""

    @property
    def info(self) -> EngineInfo:
        """Identity and limits."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer whose ids it takes."""


class Engine(PromptSide, Protocol):
    """A language model behind one small protocol over token ids."""

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers every request of every group, in any order, each as soon as it is known.

        Args:
            groups: pulled lazily; the requests of one group share a document, and a long prefix
                of ids where the cut allows.

        Yields:
            One completion a request. A request that cannot be answered yields one with ``error`` set; the others go on.
        """

    def close(self) -> None:
        """Frees the model."""


CutRule: TypeAlias = Callable[["OfficialCutInput"], "OfficialCut"]


@dataclass(frozen=True, slots=True)
class OfficialCutInput:
    """What a benchmark's own cut rule gets."""

    sample: Sample
    parts: Parts
    limit: int
    """The benchmark's own limit (its meaning is the rule's): the smaller of the cap and the model's maximum."""
    max_new_tokens: int
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class OfficialCut:
    """What a benchmark's own cut rule made: the prompt's ids exactly as its script sends them."""

    ids: tuple[int, ...]
    tokens_before: int
    removed: tuple[Removal, ...]
    side: Literal["left", "right", "middle"] | None
    kept: tuple[Span, ...]
    """The stretches of the document that stayed, in characters."""
    over_limit: bool = False
    """The official result exceeds its own limit; fidelity reproduces it, a run refuses it."""
    note: str = ""
    prompt_limit: int | None = None
    """Most tokens the rule lets a prompt have, where that is not the limit less the answer (L-Eval's)."""
