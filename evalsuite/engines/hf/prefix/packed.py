"""Packs on the model: the prefix prefilled once, suffixes as a masked tree behind it, generation row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from evalsuite.engines.hf.compute.logprobs import greedy_ids, read_logprobs, score_options
from evalsuite.engines.hf.compute.memory import Budget
from evalsuite.engines.hf.compute.network import Network
from evalsuite.engines.hf.compute.stopping import Answer
from evalsuite.engines.hf.prefix.layout import Held, Layout, cached_tokens, lay_out
from evalsuite.engines.hf.prefix.plan import Pack
from evalsuite.engines.hf.prefix.tree import Ids
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Completion


class Packer:
    """Computes packs one after the other; keys and values of a prefix stay for the next pack that begins with it."""

    def __init__(self, network: Network, tokenizer: Tokenizer, end_ids: frozenset[int]) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.end_ids = end_ids
        self.cache = network.cache()
        self.held = Held.nothing()

    def forget(self) -> None:
        """Frees everything held."""
        self.cache.release()
        self.held = Held.nothing()

    def complete(self, pack: Pack, budget: Budget) -> list[Completion]:
        """Answers every request of a pack.

        Raises:
            torch.OutOfMemoryError: the budget was too large; nothing is held then.
        """
        try:
            return self._complete(pack, budget)
        except BaseException:
            # Half-written keys and values must never serve a later pack.
            self.forget()
            raise

    def _complete(self, pack: Pack, budget: Budget) -> list[Completion]:
        layout = lay_out(pack)
        kept = self.held.take(pack)
        self.cache.keep(kept)
        self.cache.reserve(pack.prefix + len(layout.tree) + pack.rows * pack.steps)
        self._prefill(pack.prefix_ids[kept:], budget)
        cached = cached_tokens(pack, kept)
        wanted = sorted({*layout.ends, *(n for options in layout.readers for nodes in options for n in nodes)})
        rows = self._suffixes(layout, wanted, budget)
        place = {node: row for row, node in enumerate(wanted)}
        ends = [place[node] for node in layout.ends]
        done = self._score(pack, layout, rows, place, cached)
        done += self._generate(pack, layout, rows[torch.tensor(ends, device=rows.device)], cached)
        self.cache.keep(pack.prefix)
        return done

    def _prefill(self, ids: Ids, budget: Budget) -> None:
        # Behind held keys the library makes a mask as wide as the document.
        keys = self.cache.length + len(ids)
        step = budget.chunk if self.network.cascades else min(budget.chunk, budget.mask_rows(keys))
        for start in range(0, len(ids), step):
            self.network.forward(ids[start : start + step], self.cache)

    def _suffixes(self, layout: Layout, wanted: Sequence[int], budget: Budget) -> Tensor:
        """Passes the suffixes' tree, in chunks that bound the mask; returns the wanted nodes' rows."""
        tree, prefix = layout.tree, self.cache.length
        ancestry = torch.from_numpy(layout.ancestry)
        positions = prefix + np.asarray(tree.depths, dtype=np.int64)
        step = min(budget.mask_rows(len(tree) + (0 if self.network.cascades else prefix)), budget.chunk)
        if self.network.head is None:
            step = min(step, self.network.logit_rows)
        pieces = []
        for start in range(0, len(tree), step):
            end = min(start + step, len(tree))
            want = [node - start for node in wanted if start <= node < end]
            ids = np.asarray(tree.tokens[start:end], dtype=np.int64)
            found = self.network.forward(
                ids,
                self.cache,
                positions=positions[start:end],
                mask=ancestry[start:end, :end],
                prefix=prefix,
                want=want,
            )
            pieces.append(found)
        return torch.cat(pieces)

    def _score(
        self, pack: Pack, layout: Layout, rows: Tensor, place: dict[int, int], cached: list[int]
    ) -> list[Completion]:
        asked: list[tuple[int, int]] = []
        for ask, options in zip(pack.asks, layout.readers, strict=True):
            for option, nodes in zip(ask.request.options, options, strict=True):
                asked += [(place[node], id_) for node, id_ in zip(nodes, option, strict=True)]
        if not asked:
            return []
        values = iter(read_logprobs(self.network, rows, asked))
        return [
            score_options(ask, [[next(values) for _ in option] for option in ask.request.options], known)
            for ask, known in zip(pack.asks, cached, strict=True)
            if ask.request.options
        ]

    def _generate(self, pack: Pack, layout: Layout, rows: Tensor, cached: list[int]) -> list[Completion]:
        """Generates for all requests at once: a step passes one token of each, which sees its own path alone."""
        mine = [at for at, ask in enumerate(pack.asks) if not ask.request.options]
        if not mine:
            return []
        answers = [Answer(pack.asks[at].request, self.tokenizer, self.end_ids) for at in mine]
        seen = self._seen(pack, layout, mine)
        active = [row for row, answer in enumerate(answers) if not answer.done]
        states = rows[torch.tensor([mine[row] for row in active], device=rows.device, dtype=torch.long)]
        while active:
            for row, id_ in zip(active, greedy_ids(self.network, states), strict=True):
                answers[row].add(id_)
            active = [row for row in active if not answers[row].done]
            states = self._step(pack, [(row, mine[row]) for row in active], answers, seen) if active else states
        return [answer.completion(cached[at]) for answer, at in zip(answers, mine, strict=True)]

    def _seen(self, pack: Pack, layout: Layout, mine: Sequence[int]) -> Tensor:
        """What each row sees behind the prefix: its own prompt's suffix, and later its own answer."""
        nodes = len(layout.tree)
        seen = torch.zeros((len(mine), nodes + pack.rows * pack.steps), dtype=torch.bool)
        seen[:, :nodes] = torch.from_numpy(layout.ancestry)[torch.tensor([layout.ends[at] for at in mine])]
        return seen.to(self.network.device)

    def _step(self, pack: Pack, active: Sequence[tuple[int, int]], answers: Sequence[Answer], seen: Tensor) -> Tensor:
        rows = torch.tensor([row for row, _ in active], device=seen.device)
        start = self.cache.length - pack.prefix
        seen[rows, torch.arange(start, start + len(active), device=seen.device)] = True
        ids = [answers[row].ids[-1] for row, _ in active]
        positions = [len(pack.asks[at].prompt) + len(answers[row].ids) - 1 for row, at in active]
        return self.network.forward(
            ids,
            self.cache,
            positions=np.asarray(positions, dtype=np.int64),
            # Alone it sees all there is; without a mask the flash kernel serves and key heads are not repeated.
            mask=None if len(pack.asks) == 1 else seen[rows, : start + len(active)],
            prefix=pack.prefix,
            want=slice(None),
            decoding=True,
        )
