"""What a request asks of a model: write an answer, choose between options, or give a text's loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Generate:
    """Write an answer: until a stop string, an end token or the limit."""

    max_new_tokens: int
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these; the completion's text does not hold it."""
    temperature: float = 0.0
    """0 is greedy: every token is the model's first choice."""
    top_p: float = 1.0
    """Tokens are drawn from the likeliest ones that together have this probability; 1 draws from all."""
    seed: int | None = None
    """Of the draw; None where nothing is drawn."""
    answers: int = 1
    """Answers drawn independently behind one prompt."""

    @property
    def is_greedy(self) -> bool:
        """Whether nothing is drawn."""
        return not self.temperature


@dataclass(frozen=True, slots=True)
class Choose:
    """Compare continuations by their log-likelihoods."""

    options: tuple[tuple[int, ...], ...]
    """Token ids of each option."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Give the negative log-likelihood of every token of the prompt but the first."""


Work: TypeAlias = Generate | Choose | Loss
"""What a request asks of an engine."""
