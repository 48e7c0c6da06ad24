"""What to compute together: requests of one document split into packs behind shared prefixes, by estimated cost.

Pure arithmetic on ids: nothing here needs torch, so the tokens a run will forward can be counted without a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from evalsuite.engines.hf.prefix.tree import Ids, as_ids, bytes_in_order, shared_length
from evalsuite.types import Request


@dataclass(frozen=True, slots=True)
class Costs:
    """What a forward pass costs, in units of one token's pass through the body's weights."""

    pair: float = 1e-5
    """One query attending to one key, over all layers."""
    floor: int = 64
    """Fewer tokens in a pass cost as much as this many: reading the weights dominates."""

    def forward(self, tokens: int, keys: int) -> float:
        """One masked pass of ``tokens`` queries over ``keys`` keys (prefix and the tokens themselves)."""
        return max(tokens, self.floor) + self.pair * tokens * keys

    def prefill(self, tokens: int, before: int) -> float:
        """A causal pass of ``tokens`` behind ``before`` held ones."""
        return max(tokens, self.floor) + self.pair * tokens * (before + tokens / 2) if tokens else 0.0


@dataclass(frozen=True)
class Ask:
    """A request with its ids as arrays."""

    request: Request
    copies: int = 1
    """How many equal requests it answers."""

    @cached_property
    def prompt(self) -> Ids:
        """The prompt's ids."""
        return as_ids(self.request.prompt)

    @cached_property
    def order(self) -> bytes:
        """Sorts requests so that shared beginnings become neighbours."""
        return bytes_in_order(self.prompt)

    @property
    def new_tokens(self) -> int:
        """Tokens it may have to generate."""
        return self.request.max_new_tokens

    @property
    def option_tokens(self) -> int:
        """Option tokens to forward: an option's last token is scored and never read."""
        return sum(max(len(option) - 1, 0) for option in self.request.options)

    @property
    def longest(self) -> int:
        """Tokens of the prompt and its longest answer."""
        return len(self.prompt) + self.request.answer_tokens

    def unknown_id(self, vocabulary: int) -> int | None:
        """The first of its token ids that a model of so many does not know, None where it knows all."""
        for ids in (self.prompt, *map(as_ids, self.request.options)):
            beyond = (ids < 0) | (ids >= vocabulary)
            if beyond.any():
                return int(ids[beyond.argmax()])
        return None


@dataclass(frozen=True, slots=True)
class Pack:
    """Requests computed in one go behind a prefix they share; their suffixes form a tree."""

    asks: tuple[Ask, ...]
    prefix: int
    """Ids of every prompt that are the same; each prompt is at least one longer."""
    suffix_tokens: int
    """Nodes of the suffixes' tree, options included (an upper bound where options share beginnings)."""

    @property
    def prefix_ids(self) -> Ids:
        """The shared ids."""
        return self.asks[0].prompt[: self.prefix]

    @property
    def rows(self) -> int:
        """Requests to generate for."""
        return sum(1 for ask in self.asks if ask.new_tokens)

    @property
    def steps(self) -> int:
        """Most tokens any of them may generate."""
        return max(ask.new_tokens for ask in self.asks)


def plan(asks: Iterable[Ask], costs: Costs, room: int) -> list[Pack]:
    """Splits one document's requests into packs, in an order in which each can reuse what the one before holds.

    Args:
        asks: requests in any order.
        costs: the model's costs.
        room: most suffix tokens a pack may have (one request alone may exceed it).
    """
    planner = _Planner(sorted(asks, key=lambda ask: ask.order), costs, room)
    return [planner.pack(part) for part in planner.split(0, len(planner.asks), before=0)]


@dataclass(frozen=True, slots=True)
class _Part:
    """The sorted requests ``first`` to ``end`` (exclusive) behind ``prefix`` shared tokens."""

    first: int
    end: int
    prefix: int


class _Planner:
    """Cost arithmetic over sorted requests: sums are taken once, so that a part's size is two look-ups."""

    def __init__(self, asks: Sequence[Ask], costs: Costs, room: int) -> None:
        self.asks = asks
        self.costs = costs
        self.room = room
        self.shared = [0, *(shared_length(a.prompt, b.prompt) for a, b in pairwise(asks))]
        """Tokens each prompt has in common with the one before."""
        own = (len(a.prompt) - s + a.option_tokens for a, s in zip(asks, self.shared, strict=True))
        self.sizes = [0, *accumulate(own)]

    def pack(self, part: _Part) -> Pack:
        return Pack(tuple(self.asks[part.first : part.end]), part.prefix, self.suffix_tokens(part))

    def part(self, first: int, end: int) -> _Part:
        shortest = min(len(ask.prompt) for ask in self.asks[first:end])
        return _Part(first, end, min([shortest - 1, *self.shared[first + 1 : end]]))

    def suffix_tokens(self, part: _Part) -> int:
        # All but the first count what they do not share with the one before; the first counts all behind the prefix.
        return self.sizes[part.end] - self.sizes[part.first] + self.shared[part.first] - part.prefix

    def cost(self, part: _Part, before: int) -> float:
        """Prefill, suffixes and generation, where ``before`` tokens of the prefix are held already."""
        tokens = self.suffix_tokens(part)
        keys = part.prefix + tokens
        total = self.costs.prefill(part.prefix - before, before) + self.costs.forward(tokens, keys)
        new = [ask.new_tokens for ask in self.asks[part.first : part.end] if ask.new_tokens]
        return total + max(new) * self.costs.forward(len(new), keys) if new else total

    def split(self, first: int, end: int, before: int) -> list[_Part]:
        """The cheapest parts for a stretch of which ``before`` tokens are held."""
        if first == end:
            return []
        whole = self.part(first, end)
        if end - first == 1:
            return [whole]
        edges = [i for i in range(first + 1, end) if self.shared[i] <= whole.prefix]
        if not edges:
            # One prompt is the beginning of the others: there is no fork to split at.
            return [whole] if self.fits(whole) else self.chunks(whole)
        parts: list[_Part] = []
        for a, b in pairwise([first, *edges, end]):
            for part in self.split(a, b, before=whole.prefix):
                self.join(parts, part, whole.prefix)
        apart = self.costs.prefill(whole.prefix - before, before) + sum(self.cost(p, whole.prefix) for p in parts)
        return [whole] if self.fits(whole) and self.cost(whole, before) <= apart else parts

    def join(self, parts: list[_Part], part: _Part, prefix: int) -> None:
        """Adds a part, as one with the last where that is cheaper."""
        if parts:
            joined = _Part(parts[-1].first, part.end, prefix)
            apart = self.cost(parts[-1], prefix) + self.cost(part, prefix)
            if self.fits(joined) and self.cost(joined, prefix) <= apart:
                parts[-1] = joined
                return
        parts.append(part)

    def chunks(self, whole: _Part) -> list[_Part]:
        parts = [_Part(whole.first, whole.first + 1, whole.prefix)]
        for index in range(whole.first + 1, whole.end):
            longer = _Part(parts[-1].first, index + 1, whole.prefix)
            if self.fits(longer):
                parts[-1] = longer
            else:
                parts.append(_Part(index, index + 1, whole.prefix))
        return parts

    def fits(self, part: _Part) -> bool:
        return self.suffix_tokens(part) <= self.room
