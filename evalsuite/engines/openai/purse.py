"""Spending no more than was allowed."""

from __future__ import annotations

from dataclasses import dataclass, field

from evalsuite.engines.openai.options import Options
from evalsuite.engines.openai.reply import Usage
from evalsuite.types import Request

MILLION = 1_000_000


@dataclass(slots=True)
class Purse:
    """What was spent and what requests under way may still cost, in the currency of the prices."""

    price_in: float
    price_out: float
    most: float | None
    spent: float = 0.0
    prompt_tokens: int = 0
    """As the server counted them, of all its answers."""
    cached_tokens: int = 0
    """Of those, the ones it had not to compute again."""
    answer_tokens: int = 0
    _reserved: dict[str, float] = field(default_factory=dict)

    def reserve(self, request: Request) -> bool:
        """Sets aside the most a request can cost; False when that would go over the maximum."""
        need = self._price(*_tokens(request))
        if self.most is not None and self.spent + sum(self._reserved.values()) + need > self.most:
            return False
        self._reserved[request.key] = need
        return True

    def settle(self, request: Request, usages: tuple[Usage, ...]) -> None:
        """Pays what the server counted; the most it can have been where it counts nothing."""
        reserved = self._reserved.pop(request.key)
        for usage in usages:
            self.prompt_tokens += usage.prompt or 0
            self.cached_tokens += usage.cached or 0
            self.answer_tokens += usage.answer or 0
        counted = [usage for usage in usages if usage.prompt is not None and usage.answer is not None]
        known = sum(self._price(usage.prompt or 0, usage.answer or 0) for usage in counted)
        self.spent += known if len(counted) == len(usages) else max(known, reserved)

    def _price(self, prompt: int, answer: int) -> float:
        return (prompt * self.price_in + answer * self.price_out) / MILLION


def purse(chosen: Options) -> Purse:
    """A purse with the prices given; without prices everything is free."""
    return Purse(chosen.price_in or 0.0, chosen.price_out or 0.0, chosen.max_cost)


def _tokens(request: Request) -> tuple[int, int]:
    if not request.options:
        return len(request.prompt), request.max_new_tokens
    return sum(len(request.prompt) + len(option) for option in request.options), len(request.options)
