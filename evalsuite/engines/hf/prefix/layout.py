"""Where everything of a pack lies: its suffix tree, and the nodes whose predictions are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from evalsuite.engines.hf.prefix.plan import Ask, Pack
from evalsuite.engines.hf.prefix.tree import Ids, TokenTree, as_ids, shared_length


@dataclass(frozen=True)
class Layout:
    """A pack's suffixes as one tree."""

    tree: TokenTree
    ends: tuple[int, ...]
    """Per request: the node of its prompt's last token, which predicts its answer's first."""
    readers: tuple[tuple[tuple[int, ...], ...], ...]
    """Per request and option: the node that predicts each of the option's tokens."""

    @cached_property
    def ancestry(self) -> npt.NDArray[np.bool_]:
        """Who sees whom in the tree."""
        return self.tree.ancestry()


def lay_out(pack: Pack) -> Layout:
    """Builds the tree of a pack: prompts behind the prefix, options (but their last tokens) behind the prompts."""
    tree = TokenTree()
    ends = tuple(tree.add(ask.prompt[pack.prefix :].tolist()) for ask in pack.asks)
    readers = tuple(
        tuple(_readers(tree, end, option) for option in ask.request.options)
        for ask, end in zip(pack.asks, ends, strict=True)
    )
    return Layout(tree, ends, readers)


def _readers(tree: TokenTree, end: int, option: tuple[int, ...]) -> tuple[int, ...]:
    nodes = [end]
    for id_ in option[:-1]:
        nodes.append(tree.add((id_,), nodes[-1]))
    return tuple(nodes)[: len(option)]


@dataclass(slots=True)
class Held:
    """Which ids' keys and values are held, and what a pack needs beyond them."""

    ids: Ids

    @classmethod
    def nothing(cls) -> Held:
        """An empty cache."""
        return cls(as_ids(()))

    def shared_with(self, pack: Pack) -> int:
        """How many tokens of the pack's prefix are held."""
        return shared_length(self.ids, pack.prefix_ids)

    def take(self, pack: Pack) -> int:
        """Moves on to the pack's prefix and returns how many of its tokens were held already."""
        kept = self.shared_with(pack)
        self.ids = pack.prefix_ids
        return kept


def cached_tokens(pack: Pack, held: int) -> list[int]:
    """Per request of a pack: prompt tokens that need no computing of their own.

    The first request is charged with what of the prefix is not held yet, each with what it shares with none before it.
    """
    cached = []
    before: Ask | None = None
    for ask in pack.asks:
        known = held if before is None else max(pack.prefix, shared_length(before.prompt, ask.prompt))
        cached.append(min(known, len(ask.prompt)))
        before = ask
    return cached
