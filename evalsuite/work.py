"""What a request asks of a model: write an answer, choose between options, or give a text's loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Generate:
    """Write an answer. It ends at a stop string, at an end token or at the limit."""

    max_new_tokens: int
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these texts, and does not contain it."""
    temperature: float = 0.0
    """0 is greedy: every token is the most likely one."""
    top_p: float = 1.0
    """Tokens are drawn from the most likely tokens that together have this probability; 1 draws from all tokens."""
    seed: int | None = None
    """Seed of the draw; None for greedy answers."""
    answers: int = 1
    """Number of independent answers to one prompt."""

    @property
    def is_greedy(self) -> bool:
        """Whether the answer is greedy."""
        return not self.temperature


@dataclass(frozen=True, slots=True)
class Choose:
    """Compare options by their log-likelihoods."""

    options: tuple[tuple[int, ...], ...]
    """Token ids of each option."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Give the negative log-likelihood of every token of the prompt except the first."""


Work: TypeAlias = Generate | Choose | Loss
"""What a request asks of an engine."""
