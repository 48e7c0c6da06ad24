"""Which requests are in the engine at once: as many as their keys and values fit into the cache, by document.

vLLM admits whatever fits at the moment and, when the cache runs full, throws out a running request and computes it
again. Requests of one document next to each other, and never more of them than fit, let it compute each document once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from evalsuite.types import Request


@dataclass(slots=True)
class Group:
    """One document's requests on their way through the engine."""

    waiting: deque[Request]
    shared: int
    """Tokens all its prompts begin with, in whole blocks; in the cache once while any of its requests runs."""
    own: dict[str, int] = field(default_factory=dict)
    """Tokens each running request needs besides, by key."""

    @property
    def held(self) -> int:
        """Tokens of the cache its running requests hold."""
        return self.shared + sum(self.own.values()) if self.own else 0


class Admission:
    """Requests waiting and in flight.

    Attributes:
        flight: requests handed out and not yet done, by key.
    """

    def __init__(self, groups: Iterable[Sequence[Request]], capacity: int, block: int) -> None:
        """Takes requests without looking at any.

        Args:
            groups: pulled when there is room for more.
            capacity: tokens the KV cache holds.
            block: tokens of a cache block; what a request needs is rounded up to whole blocks.
        """
        self._source = iter(groups)
        self._capacity, self._block = capacity, block
        self._groups: deque[Group] = deque()
        self.flight: dict[str, Request] = {}

    def admit(self) -> Iterator[Request]:
        """The requests that fit now, in the order to ask them; one at least when nothing is in flight."""
        while (group := self._front()) is not None:
            request = group.waiting[0]
            own = self._need(request, group)
            more = own + (0 if group.own else group.shared)
            if self.flight and sum(g.held for g in self._groups) + more > self._capacity:
                return
            group.waiting.popleft()
            group.own[request.key] = own
            self.flight[request.key] = request
            yield request

    def done(self, key: str) -> None:
        """Gives a request's room back."""
        del self.flight[key]
        for group in self._groups:
            group.own.pop(key, None)
        while self._groups and not self._groups[0].own and not self._groups[0].waiting:
            self._groups.popleft()

    def take_flight(self) -> list[Request]:
        """The requests in flight, taken back: nothing is in flight any more."""
        requests = list(self.flight.values())
        for request in requests:
            self.done(request.key)
        return requests

    def _front(self) -> Group | None:
        """The first group with waiting requests, pulled from the source when there is none."""
        for group in self._groups:
            if group.waiting:
                return group
        for requests in self._source:
            if requests:
                self._groups.append(_group(requests, self._block))
                return self._groups[-1]
        return None

    def _need(self, request: Request, group: Group) -> int:
        answer = request.answer_tokens
        branches = max(1, len(request.options))
        tokens = len(request.prompt) - group.shared + branches * answer
        return -(-tokens // self._block) * self._block + (branches - 1) * self._block


def _group(requests: Sequence[Request], block: int) -> Group:
    """Sorted by ids, so that those with the longest common beginnings follow each other; one request a key."""
    ordered = sorted({r.key: r for r in requests}.values(), key=lambda request: request.prompt)
    shared = common_prefix(ordered[0].prompt, ordered[-1].prompt)
    return Group(deque(ordered), shared // block * block)


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Tokens two prompts have in common at their beginning."""
    limit = min(len(first), len(second))
    return next((at for at in range(limit) if first[at] != second[at]), limit)
