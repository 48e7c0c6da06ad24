"""Measures how much of a run's work is done, in tokens. The time left can so be estimated from the first answer on.

The number of samples is no good measure. Documents have different lengths, and the first answer about a document also
needs the time for the prefix that the other questions share. For prompts that are not made yet, the number of tokens is
estimated from their characters. Each prompt that is made improves the estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalsuite.interfaces import PromptSide, Tokenizer
from evalsuite.runs.planning.plan import CellPlan, Plan, UnitSize
from evalsuite.types import Completion, Request
from evalsuite.work import Generate

STEP = 16
"""One token of an answer takes about as long as this many tokens of a prompt."""
ANSWER = 16
"""Assumed tokens of an answer, until the first answers are there. Most answers end long before their limit."""
OWN = 200
"""Assumed characters of the part of a prompt that belongs to one sample (question, options)."""
PROBE = 4000
"""So many characters of the first document are encoded, to learn how many characters a token has."""


@dataclass(slots=True)
class _Mean:
    """A mean that is learnt. Until there is a value, it is the assumed one."""

    assumed: float
    total: float = 0.0
    count: float = 0.0

    def see(self, total: float, count: float = 1.0) -> None:
        self.total += total
        self.count += count

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else self.assumed


@dataclass(slots=True)
class _Work:
    """An amount of work."""

    prefix: float = 0.0
    """Tokens of the first prompt about a document, in every cell."""
    others: float = 0.0
    """Prompts that share this prefix."""
    cut: float = 0.0
    """Tokens of prompts that share no prefix, because their cut may be at another place."""
    answers: float = 0.0

    def add(self, other: _Work, times: float = 1.0) -> None:
        self.prefix += times * other.prefix
        self.others += times * other.others
        self.cut += times * other.cut
        self.answers += times * other.answers


@dataclass(frozen=True, slots=True)
class _Cost:
    """The work of one request: tokens of the prompt to compute, and answers to write."""

    tokens: float
    answers: int
    first: bool
    """Whether it is the first request of its cell about a document."""


class Effort:
    """The work of one process. It is known for prompts that are made, and estimated for the others."""

    def __init__(self, plan: Plan, model: PromptSide) -> None:
        self._rate = _characters_per_token(plan, model.tokenizer)
        self._most = model.info.max_model_len
        self._guesses = self._guess_all(plan)
        self._left = _Work()
        for guess in self._guess_all(plan):
            self._left.add(guess)
        self._prefix, self._other, self._cut = _Mean(1.0), _Mean(OWN / self._rate), _Mean(1.0)
        self._answer = _Mean(ANSWER)
        self._waiting: dict[str, _Cost] = {}
        self._to_do = self._done = 0.0
        self._answers_to_do = self._answers_done = 0

    def prepared(self, group: Sequence[Request], new: Sequence[Request]) -> None:
        """Counts the requests of a document, and which of them will be asked."""
        guess = next(self._guesses, _Work())
        self._left.add(guess, -1)
        costs = dict(_costs(group))
        if guess.prefix:
            self._prefix.see(sum(cost.tokens for cost in costs.values() if cost.first), guess.prefix)
        for request in group:
            cost = costs[request.id]
            if request.cut.is_cut and not cost.first:
                self._cut.see(cost.tokens, len(request.prompt))
            elif not cost.first:
                self._other.see(cost.tokens)
        for request in new:
            cost = self._waiting[request.key] = costs[request.id]
            self._to_do += cost.tokens
            self._answers_to_do += cost.answers

    def answered(self, completion: Completion) -> None:
        """Counts an answer."""
        cost = self._waiting.pop(completion.key, None)
        if cost is not None:
            self._done += cost.tokens
            self._answers_done += cost.answers
        if completion.error is None:
            self._answer.see(len(completion.token_ids))

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        answer, left = STEP * self._answer.value, self._left
        prompts = left.prefix * self._prefix.value + left.others * self._other.value + left.cut * self._cut.value
        whole = self._to_do + answer * (self._answers_to_do + left.answers) + prompts
        return min((self._done + answer * self._answers_done) / whole, 1.0) if whole > 0 else 0.0

    def _guess_all(self, plan: Plan) -> Iterator[_Work]:
        """The work on each document, in the order asked."""
        for task in plan.tasks:
            for size in task.sizes:
                whole = _Work()
                for cell in task.cells:
                    whole.add(self._guess(cell, size))
                yield whole

    def _guess(self, cell: CellPlan, size: UnitSize) -> _Work:
        text, own = size.characters / self._rate, OWN / self._rate
        if not text:
            return _Work()
        whole = text + own + cell.shots.count * (own + (text if cell.block.demo_documents == "whole" else 0))
        limits = (self._most, cell.setting.max_prompt_tokens)
        room = min((limit for limit in limits if limit is not None), default=whole)
        others = size.samples - 1
        answers = 0 if cell.protocol.options else size.samples
        if whole <= room:
            return _Work(whole, others, 0, answers)
        return _Work(room, 0, others * room, answers)


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Number of equal ids at the beginning of two prompts."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _costs(group: Sequence[Request]) -> Iterator[tuple[str, _Cost]]:
    """The work of each request, without the prefix that it shares with the request before it."""
    before: tuple[int, ...] = ()
    cell = ""
    for request in group:
        new = len(request.prompt) - shared(before, request.prompt)
        new += sum(map(len, request.options))
        answers = request.work.answers if isinstance(request.work, Generate) else 0
        yield request.id, _Cost(new, answers, first=request.cell != cell)
        before, cell = request.prompt, request.cell


def _characters_per_token(plan: Plan, tokenizer: Tokenizer) -> float:
    """Characters of a token, from the beginning of the first document."""
    texts = (s.document.text for task in plan.tasks for s in task.reading.samples() if s.document.text)
    text = next(texts, "")[:PROBE]
    return len(text) / max(len(tokenizer.encode_literal(text).ids), 1) or 1.0
