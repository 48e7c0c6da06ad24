"""Computes every request by itself, in ordinary padded batches, with the public functions of the library only.

The packed path is compared with it. Models that cannot share a prefix use it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from evalsuite.engines.hf.compute.counts import Counters
from evalsuite.engines.hf.compute.logprobs import TokenLogprob, gather_logprobs, score_options
from evalsuite.engines.hf.compute.stopping import Answer
from evalsuite.engines.hf.prefix.plan import Ask
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Completion

LOGIT_TOKENS = 1 << 25
"""Most logits (rows times vocabulary) of one batch."""


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence to score: a prompt and an option but its last token; options of one token share it."""

    ids: tuple[int, ...]
    targets: tuple[tuple[int, int, tuple[int, ...]], ...]
    """(request, option, the option's ids) each."""
    scored: int
    """Positions at the end whose predictions are read."""
    new: int = 0
    """Tokens it may generate."""


class Plain:
    """Padded batches of independent requests."""

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        end_ids: frozenset[int],
        counters: Counters,
        *,
        padding: bool,
        positions: int | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.end_ids = end_ids
        self.counters = counters
        self.padding = padding
        """False where padding could change a result: then rows of a batch have one length."""
        self.positions = positions
        """Positions the model has; a row of a batch is moved on, past its own end, until the last one is done."""
        self.device = model.get_input_embeddings().weight.device
        self.vocabulary = int(model.get_input_embeddings().weight.shape[0])
        """Ids it has embeddings for."""
        self.encodes = bool(model.config.is_encoder_decoder)
        self._accepts = set(inspect.signature(model.forward).parameters)

    def complete(self, asks: Sequence[Ask], budget: int) -> list[Completion]:
        """Answers requests.

        Args:
            asks: any mix of kinds and lengths.
            budget: most tokens of a batch, padding included; one row alone may exceed it.
        """
        self.counters.plain += len(asks)
        scored = [ask for ask in asks if ask.request.options]
        generated = [ask for ask in asks if not ask.request.options]
        return [*self._score(scored, budget), *self._generate(generated, budget)]

    def _score(self, asks: Sequence[Ask], budget: int) -> list[Completion]:
        found: dict[tuple[int, int], list[TokenLogprob]] = {}
        for batch in self._batches(_rows(asks, encodes=self.encodes), budget):
            logits = self._option_logits(batch)
            for row, values in zip(batch, logits, strict=True):
                # A decoder's rows begin together, all others end together.
                first = 0 if self.encodes else values.shape[0] - row.scored
                for ask, option, ids in row.targets:
                    asked = [(first + at, id_) for at, id_ in enumerate(ids)]
                    found[ask, option] = gather_logprobs(values.float(), asked)
        return [
            score_options(ask, [found[at, option] for option in range(len(ask.request.options))], 0)
            for at, ask in enumerate(asks)
        ]

    def _option_logits(self, batch: Sequence[Row]) -> Tensor:
        """Logits of what is scored of each row, shape ``[rows, most scored, vocabulary]``."""
        if self.encodes:
            return self._decoder_logits(batch)
        most = max(row.scored for row in batch)
        ids, mask = self._pad([row.ids for row in batch], left=True)
        extra: dict[str, Any] = {}
        if "position_ids" in self._accepts:
            extra["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
        if "logits_to_keep" in self._accepts:
            extra["logits_to_keep"] = most
        self._tally(ids, steps=0)
        logits: Tensor = self.model(input_ids=ids, attention_mask=mask, use_cache=False, **extra).logits
        return logits[:, -most:]

    def _decoder_logits(self, batch: Sequence[Row]) -> Tensor:
        prompts, mask = self._pad([row.ids[: len(row.ids) - row.scored + 1] for row in batch], left=False)
        start = self.model.generation_config.decoder_start_token_id
        options = [(start, *row.ids[len(row.ids) - row.scored + 1 :]) for row in batch]
        decoded, decoder_mask = self._pad(options, left=False)
        self._tally(prompts, steps=decoded.shape[1])
        logits: Tensor = self.model(
            input_ids=prompts, attention_mask=mask, decoder_input_ids=decoded, decoder_attention_mask=decoder_mask
        ).logits
        return logits

    def _generate(self, asks: Sequence[Ask], budget: int) -> list[Completion]:
        answers = [Answer(ask.request, self.tokenizer, self.end_ids) for ask in asks]
        rows = [
            Row(ask.request.prompt, ((at, 0, ()),), 1, ask.new_tokens)
            for at, ask in enumerate(asks)
            if not answers[at].done
        ]
        for batch in self._batches(rows, budget):
            mine = [answers[row.targets[0][0]] for row in batch]
            ids, mask = self._pad([row.ids for row in batch], left=not self.encodes)
            steps = max(row.new for row in batch)
            self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=steps,
                do_sample=False,
                logits_processor=LogitsProcessorList([FailUnlessFinite(mine)]),
                stopping_criteria=StoppingCriteriaList([UntilDone(mine)]),
            )
            self._tally(ids, steps=max(1, *(len(answer.ids) for answer in mine)) - 1)
        return [answer.completion(0) for answer in answers]

    def _batches(self, rows: Sequence[Row], budget: int) -> Iterator[list[Row]]:
        """Rows of similar length together, longest first, so that the largest batch fails first if any does."""
        batch: list[Row] = []
        room = max((row.new for row in rows), default=0)

        def order(row: Row) -> tuple[int, int]:
            # Near the model's last position only rows with the same room for an answer go together.
            return (row.new if self._runs_out(len(row.ids), room) else 0, len(row.ids))

        for row in sorted(rows, key=order, reverse=True):
            if batch and not self._joins(row, batch, budget, room):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _joins(self, row: Row, batch: Sequence[Row], budget: int, room: int) -> bool:
        longest = max(len(row.ids), *(len(other.ids) for other in batch))
        if self._runs_out(longest, max(row.new, *(other.new for other in batch))):
            return False
        scored = max(row.scored, *(other.scored for other in batch))
        vocabulary = int(self.model.config.get_text_config(decoder=True).vocab_size)
        fits = (longest + room) * (len(batch) + 1) <= budget and scored * (len(batch) + 1) * vocabulary <= LOGIT_TOKENS
        return fits and (self.padding or (len(row.ids), row.scored) == (longest, batch[0].scored))

    def _runs_out(self, longest: int, steps: int) -> bool:
        return self.positions is not None and longest + steps > self.positions

    def _pad(self, rows: Sequence[Sequence[int]], *, left: bool) -> tuple[Tensor, Tensor]:
        longest = max(map(len, rows))
        ids = torch.zeros((len(rows), longest), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            place = slice(longest - len(row), None) if left else slice(0, len(row))
            ids[at, place] = torch.tensor(row, dtype=torch.long)
            mask[at, place] = 1
        return ids.to(self.device), mask.to(self.device)

    def _tally(self, ids: Tensor, steps: int) -> None:
        rows, length = ids.shape
        self.counters.passes += 1 + steps
        self.counters.prompt_tokens += rows * length
        self.counters.decoded_tokens += rows * steps
        self.counters.kv_tokens = max(self.counters.kv_tokens, rows * (length + steps))


def _rows(asks: Sequence[Ask], *, encodes: bool) -> list[Row]:
    """Sequences to score; options of one token read the same prediction (a decoder's alone cannot be told apart)."""
    rows: dict[tuple[tuple[int, ...], int], list[tuple[int, int, tuple[int, ...]]]] = {}
    for at, ask in enumerate(asks):
        for number, option in enumerate(ask.request.options):
            ids = (*ask.request.prompt, *option[:-1])
            rows.setdefault((ids, len(option) if encodes or len(option) > 1 else 1), []).append((at, number, option))
    return [Row(ids, tuple(targets), scored) for (ids, scored), targets in rows.items()]


class UntilDone(StoppingCriteria):  # type: ignore[misc]  # the library ships no types
    """Ends a row of ``generate`` where its answer ends: stop string, end token or its own limit."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = answers

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        """Takes each row's last token; true where nothing more is wanted."""
        del scores
        for answer, id_ in zip(self.answers, input_ids[:, -1].tolist(), strict=True):
            if not answer.done:
                answer.add(id_)
        return torch.tensor([answer.done for answer in self.answers], device=input_ids.device)


class FailUnlessFinite(LogitsProcessor):  # type: ignore[misc]  # same
    """Fails the answers whose next logits are NaN or infinite; it changes nothing."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = answers

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Looks at each row's largest logit, which a NaN or an infinity always is."""
        del input_ids
        for answer, finite in zip(self.answers, scores.amax(dim=-1).isfinite().tolist(), strict=True):
            if not finite and not answer.done:
                answer.add(None)
        return scores
