"""Token trees: sequences that share beginnings, each distinct token once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.int64]
"""Token ids, shape ``[length]``."""


def as_ids(ids: Sequence[int]) -> Ids:
    """The ids as an array."""
    return np.asarray(ids, dtype=np.int64)


def shared_length(first: Ids, second: Ids) -> int:
    """How many ids two sequences have in common at their beginning."""
    length = min(len(first), len(second))
    different = np.nonzero(first[:length] != second[:length])[0]
    return int(different[0]) if len(different) else length


def distinct_tokens(sequences: Iterable[Ids]) -> int:
    """Tokens of the tree of all sequences: what computing each distinct token once costs."""
    total = 0
    before = as_ids(())
    for sequence in sorted(sequences, key=bytes_in_order):
        total += len(sequence) - shared_length(before, sequence)
        before = sequence
    return total


def bytes_in_order(ids: Ids) -> bytes:
    """A key that sorts sequences as their ids do: sequences with a common beginning become neighbours."""
    return ids.astype(">u8").tobytes()


@dataclass(slots=True)
class TokenTree:
    """Sequences behind a common prefix as one tree, its nodes in the order they were added (parents first).

    Node ``i`` stands for the token ``tokens[i]`` behind the path of ``parents[i]`` (-1: the prefix).
    """

    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    """Distance from the prefix: 0 for a token right behind it."""
    _children: dict[tuple[int, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, ids: Iterable[int], parent: int = -1) -> int:
        """Adds a path below a node and returns its last node (the parent itself for an empty path)."""
        for id_ in ids:
            parent = self._child(parent, int(id_))
        return parent

    def _child(self, parent: int, id_: int) -> int:
        known = self._children.get((parent, id_))
        if known is not None:
            return known
        node = len(self.tokens)
        self.tokens.append(id_)
        self.parents.append(parent)
        self.depths.append(0 if parent < 0 else self.depths[parent] + 1)
        self._children[parent, id_] = node
        return node

    def ancestry(self) -> npt.NDArray[np.bool_]:
        """Who sees whom: ``[i, j]`` is true where node j is node i or lies on its path. Shape ``[nodes, nodes]``."""
        seen = np.zeros((len(self), len(self)), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] = seen[parent]
            seen[node, node] = True
        return seen
