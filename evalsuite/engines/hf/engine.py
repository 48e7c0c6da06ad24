"""The engine: requests of one document computed together, the rest in batches, memory found out and respected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from evalsuite.engines.hf.compute.counts import Counters
from evalsuite.engines.hf.compute.failures import NO_MEMORY, NOT_FINITE, broke_off, failed
from evalsuite.engines.hf.compute.memory import Budget, is_out_of_memory, release_unused
from evalsuite.engines.hf.compute.network import Network
from evalsuite.engines.hf.compute.plain import Plain
from evalsuite.engines.hf.compute.rolling import rolling_loss
from evalsuite.engines.hf.prefix.layout import Held
from evalsuite.engines.hf.prefix.packed import Packer
from evalsuite.engines.hf.prefix.plan import Ask, Costs, Pack, plan
from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.records import EngineInfo
from evalsuite.types import Completion, Request
from evalsuite.work import Loss

SHORT = 2048
"""Longest prompt that may take the plain path where packing is possible: longer ones want the prefill in chunks."""


class HFEngine:
    """A transformers model that computes each distinct token of a document's requests once."""

    def __init__(
        self,
        info: EngineInfo,
        tokenizer: Tokenizer,
        plain: Plain,
        packer: Packer | None,
        budget: Budget,
        costs: Costs,
    ) -> None:
        self.info = info
        self.tokenizer = tokenizer
        self.counters: Counters = plain.counters
        """Work done so far."""
        self.budget = budget
        self.costs = costs
        self._plain = plain
        self._packer = packer

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers requests, a document's together; see ``Engine.complete``."""
        waiting: list[Ask] = []
        try:
            for group in groups:
                yield from self._losses(group)
                asks, refused = self._admit([one for one in group if not isinstance(one.work, Loss)])
                yield from refused
                for pack in self._packs(asks, waiting):
                    yield from self._run_whole(pack)
                if sum(ask.longest for ask in waiting) >= self.budget.batch:
                    yield from self._run_plain(waiting)
                    waiting = []
            yield from self._run_plain(waiting)
        finally:
            if self._packer is not None:
                self._packer.forget()

    def _losses(self, group: Sequence[Request]) -> Iterator[Completion]:
        """The losses of the requests that ask for one; a text longer than the model's maximum goes in windows."""
        for request in group:
            if isinstance(request.work, Loss):
                yield self._loss(Ask(request))

    def _loss(self, ask: Ask) -> Completion:
        if reason := self._misfit(ask, bounded=False):
            return failed(ask, reason)
        try:
            losses = self.rolling_loss(ask.request.prompt)
        except UsageError as error:
            return failed(ask, str(error))
        return Completion(ask.request.key, prompt_tokens=len(ask.prompt), losses=tuple(losses.tolist()))

    def rolling_loss(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Negative log-likelihood of each token but the first, shape ``[len(ids) - 1]``; see ``hf.rolling``.

        A text longer than the model's maximum goes in windows of that length.

        Raises:
            UsageError: an encoder-decoder model, or one whose logits are not finite.
        """
        if self._plain.encodes:
            raise UsageError(f"{self.info.model.name}: an encoder-decoder model has no loss of a running text")
        network = Network(self._plain.model, self.counters) if self._packer is None else self._packer.network
        before = self.budget
        while True:
            try:
                with torch.inference_mode():
                    chunk = None if self._packer is None else self.budget.chunk
                    losses = rolling_loss(network, ids, self.info.max_model_len, chunk)
                return self._finite(losses)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self._packer is None or self.budget.is_least:
                    self.budget = before
                    raise
            release_unused()
            self._shrink()

    def _finite(self, losses: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if not np.isfinite(losses).all():
            raise UsageError(f"{self.info.model.name}: {NOT_FINITE}")
        return losses

    def close(self) -> None:
        """Frees the model."""
        if self._packer is not None:
            self._packer.forget()
            self._packer = None
        self._plain.model = None
        release_unused()

    def _admit(self, group: Sequence[Request]) -> tuple[list[Ask], list[Completion]]:
        """Requests to compute, equal ones once, and the answers to those that are too long for the model."""
        copies = Counter(request.key for request in group)
        asks = [Ask(request, copies[request.key]) for request in {r.key: r for r in group}.values()]
        reasons = [self._misfit(ask) for ask in asks]
        errors = [c for ask, reason in zip(asks, reasons, strict=True) if reason for c in _fail(ask, reason)]
        return [ask for ask, reason in zip(asks, reasons, strict=True) if not reason], errors

    def _misfit(self, ask: Ask, *, bounded: bool = True) -> str | None:
        """Why the model cannot take a request, None where it can."""
        limit = self.info.max_model_len if bounded else None
        if limit is not None and ask.longest > limit:
            return f"{ask.longest} tokens, the model takes {limit}"
        unknown = ask.unknown_id(self._plain.vocabulary)
        if unknown is None:
            return None
        return f"token id {unknown}, the model knows {self._plain.vocabulary}: is the tokenizer another model's?"

    def _packs(self, asks: Sequence[Ask], waiting: list[Ask]) -> Iterator[Pack]:
        """Packs worth computing behind a shared prefix; other requests are put with the waiting ones."""
        if self._packer is None:
            waiting += asks
            return
        for pack in plan(asks, self.costs, self.budget.pack):
            if self._cheaper_plain(pack, self._packer.held):
                waiting += pack.asks
            else:
                yield pack

    def _cheaper_plain(self, pack: Pack, held: Held) -> bool:
        longest = max(ask.longest for ask in pack.asks)
        if longest > SHORT:
            return False
        rows = sum(max(len(ask.request.options), 1) for ask in pack.asks)
        # Waiting requests of many documents fill a batch, so no floor counts here.
        plain = rows * (longest + self.costs.pair * longest * longest)
        kept = held.shared_with(pack)
        packed = self.costs.prefill(pack.prefix - kept, kept)
        packed += self.costs.forward(pack.suffix_tokens, pack.prefix + pack.suffix_tokens)
        return plain < packed

    def _run_whole(self, pack: Pack) -> Iterator[Completion]:
        """A pack in as many passes as memory makes of it."""
        before, impossible = self.budget, False
        for completion in self._run_pack(pack):
            impossible = impossible or completion.error == NO_MEMORY
            yield completion
        if impossible:
            # Where no smaller pass helped, halving says nothing about what comes next.
            self.budget = before

    def _run_pack(self, pack: Pack) -> Iterator[Completion]:
        if self._packer is None:
            raise RuntimeError("the engine is closed")
        done = self._attempt(pack.asks, partial(self._packer.complete, pack, self.budget))
        if done is not None:
            answered, again = _sort_out(pack.asks, done)
            self.counters.packed += len(pack.asks) - len(again)
            yield from _copies(pack.asks, answered)
            for ask in again:
                yield from self._run_pack(plan([ask], self.costs, self.budget.pack)[0])
        elif self.budget.is_least:
            yield from (c for ask in pack.asks for c in _fail(ask, NO_MEMORY))
        else:
            self._shrink()
            for smaller in plan(pack.asks, self.costs, self.budget.pack):
                yield from self._run_pack(smaller)

    def _run_plain(self, asks: Sequence[Ask]) -> Iterator[Completion]:
        """Waves of about one batch each, so that completions come as they are known."""
        queue = sorted(asks, key=lambda ask: ask.longest, reverse=True)
        while queue:
            rows = max(1, self.budget.batch // queue[0].longest)
            wave = queue[:rows]
            done = self._attempt(wave, partial(self._plain.complete, wave, self.budget.batch))
            if done is not None:
                queue = queue[rows:]
                answered, again = _sort_out(wave, done)
                yield from _copies(wave, answered)
                for ask in again:
                    yield from self._run_plain([ask])
            elif self.budget.batch <= wave[0].longest:
                queue = queue[rows:]
                yield from (c for ask in wave for c in _fail(ask, NO_MEMORY))
            else:
                self._shrink()

    def _attempt(self, asks: Sequence[Ask], compute: Callable[[], list[Completion]]) -> list[Completion] | None:
        """The completions, or None when memory ran out; whatever else goes wrong in a pass fails its requests."""
        try:
            with torch.inference_mode():
                return compute()
        except Exception as error:  # noqa: BLE001  # any architecture's code raises here, and it is recorded
            if not is_out_of_memory(error):
                return [failed(ask, broke_off(error)) for ask in asks]
            self.counters.out_of_memory += 1
        if self._packer is not None:
            self._packer.forget()
        release_unused()
        return None

    def _shrink(self) -> None:
        self.budget = self.budget.halved()


def _fail(ask: Ask, reason: str) -> list[Completion]:
    return [failed(ask, reason)] * ask.copies


def _sort_out(asks: Sequence[Ask], done: Sequence[Completion]) -> tuple[list[Completion], list[Ask]]:
    """The answers that stand, and the requests to compute again, each by itself.

    A NaN passes through any mask: one bad row spoils all that are computed with it, as an error in their pass does.
    Which those are must not show.
    """
    spoiled = {completion.key for completion in done if completion.error} if len(asks) > 1 else set()
    return [c for c in done if c.key not in spoiled], [ask for ask in asks if ask.request.key in spoiled]


def _copies(asks: Sequence[Ask], done: Sequence[Completion]) -> Iterator[Completion]:
    copies = {ask.request.key: ask.copies for ask in asks}
    for completion in done:
        yield from [completion] * copies[completion.key]
