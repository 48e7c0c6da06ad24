"""What a tokenizer, an engine and a benchmark's own cut rule must provide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from evalsuite.records import EngineInfo
from evalsuite.types import Completion, Parts, Removal, Request, Sample, Span


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of a text, and the characters of each token."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class JoinedText(Protocol):
    """The tokens of a text that is joined from other texts. They are equal to the tokens of the whole text."""

    def __len__(self) -> int:
        """Number of tokens."""

    @property
    def ids(self) -> tuple[int, ...]:
        """All token ids."""

    def start(self, index: int) -> int:
        """The character at which a token starts, by the position of the token."""

    def before(self, character: int) -> int:
        """How many tokens start before a character."""

    def without(self, removed: Span) -> JoinedText:
        """The text without a part of it."""


class Tokenizer(Protocol):
    """A tokenizer, as prompts, cuts and engines use it."""

    @property
    def bos_id(self) -> int | None:
        """The id that begins every prompt; None if the model has none."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end a generation."""

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids as in the official scripts: special strings in the text become special tokens.

        Args:
            text: any text.
            special_tokens: also add the tokenizer's own BOS and EOS.
        """

    def encode_literal(self, text: str) -> Encoding:
        """Ids without BOS and EOS. Special strings in the text stay text."""

    def encode_joined(self, texts: Sequence[str]) -> JoinedText:
        """The tokens of ``encode_literal("".join(texts))``. A long text is not encoded a second time."""

    def encode_template(self, text: str) -> list[int]:
        """Ids of the text of a chat template. Special strings become special tokens."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of ``encode(text)``."""

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids. Spaces are not cleaned up."""


class PromptSide(Protocol):
    """What prompts need from a model: its tokenizer and its limits, without weights."""

    @property
    def info(self) -> EngineInfo:
        """Identity and limits."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the model."""


class Engine(PromptSide, Protocol):
    """A language model that answers requests of token ids."""

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers every request of every group, in any order. Each answer is given as soon as it is there.

        Args:
            groups: read one by one, when they are needed. The requests of a group share a document. If the cut
                allows it, they share a long prefix of ids.

        Yields:
            One completion for each request. If a request cannot be answered, its completion has an ``error``.
        """

    def close(self) -> None:
        """Frees the model."""


CutRule: TypeAlias = Callable[["OfficialCutInput"], "OfficialCut"]


@dataclass(frozen=True, slots=True)
class OfficialCutInput:
    """The input of a benchmark's own cut rule."""

    sample: Sample
    parts: Parts
    limit: int
    """The smaller of the cap and the model's maximum. The rule decides what the limit covers."""
    max_new_tokens: int
    tokenizer: Tokenizer


@dataclass(frozen=True, slots=True)
class OfficialCut:
    """The result of a benchmark's own cut rule: the ids of the prompt exactly as the official script sends them."""

    ids: tuple[int, ...]
    tokens_before: int
    removed: tuple[Removal, ...]
    side: Literal["left", "right", "middle"] | None
    kept: tuple[Span, ...]
    """The parts of the document that were kept, in characters."""
    over_limit: bool = False
    """Whether the official result exceeds its own limit. ``fidelity`` reproduces it; a run does not ask it."""
    note: str = ""
    prompt_limit: int | None = None
    """The rule's own limit of a prompt, if it is not the limit minus the room for the answer (L-Eval)."""
