"""One request as the asks vLLM answers, and their answers as one completion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from evalsuite.engines._generated import generated
from evalsuite.engines.checked import bad_id
from evalsuite.engines.vllm.wire import Answer, Ask, Choose, Follow, Generate, Refused, TokenScore
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Completion, OptionScore, Request

MOST_LABELS = 20
"""Tokens one ask may score: vLLM's default ``max_logprobs``."""


class Talk:
    """A request while it is being answered.

    The first tokens of all options are scored together behind the prompt, which is then in the prefix cache; the rest
    of each longer option is scored behind its first token.

    Attributes:
        request: what is to be answered.
        asks: what vLLM is asked, to be asked in this order.
    """

    def __init__(self, request: Request, first_id: int, tokenizer: Tokenizer) -> None:
        self.request = request
        self._tokenizer = tokenizer
        self.asks = tuple(_asks(request, first_id, tokenizer))
        self._answers: dict[int, Answer] = {}

    def hear(self, said: Answer | Refused) -> Completion | Generate | None:
        """Takes what came back on one ask.

        Returns:
            The completion once it is whole, or as soon as it cannot be; an ask where one must be repeated another way.
        """
        if isinstance(said, Refused):
            return failure(self.request, f"vLLM refused the request: {said.reason}")
        if fault := _fault(said, next(ask for ask in self.asks if ask.id == said.id)):
            return failure(self.request, f"vLLM's answer is unusable: {fault}")
        self._answers[said.id] = said
        if len(self._answers) < len(self.asks):
            return None
        return self._scored() if self.request.options else self._generated(said)

    def _generated(self, answer: Answer) -> Completion | Generate:
        request = self.request
        made = generated(answer.tokens, answer.finish, request.stop, self._tokenizer)
        if answer.finish == "stop" and not made.stopped:
            # vLLM read another text into the ids than the tokenizer does (ids beyond its vocabulary, for one) and saw
            # a stop string in it: generate to the end, the stop is looked for here.
            return replace(_generate(request, answer.id, self._tokenizer), stop=())
        return Completion(
            key=request.key,
            text=made.text,
            token_ids=made.ids,
            finish_reason=made.finish,
            prompt_tokens=len(request.prompt),
            cached_tokens=answer.cached,
        )

    def _scored(self) -> Completion:
        first: dict[int, TokenScore] = {}
        rest: dict[tuple[int, ...], tuple[TokenScore, ...]] = {}
        for ask in self.asks:
            scores = self._answers[ask.id].scores
            if isinstance(ask, Choose):
                first.update(zip(ask.labels, scores, strict=True))
            elif isinstance(ask, Follow):
                rest[(ask.prompt[-1], *ask.option)] = scores
        options = tuple(_option(option, first, rest) for option in self.request.options)
        cached = self._answers[self.asks[0].id].cached if self.asks else None
        return Completion(
            key=self.request.key, prompt_tokens=len(self.request.prompt), cached_tokens=cached, options=options
        )


def failure(request: Request, reason: str) -> Completion:
    """The completion of a request that has no answer."""
    return Completion(key=request.key, prompt_tokens=len(request.prompt), error=reason)


def _fault(answer: Answer, ask: Ask) -> str | None:
    """Why an answer cannot be one; damaged weights give log-probabilities that are no numbers."""
    due = len(ask.labels) if isinstance(ask, Choose) else len(ask.option) if isinstance(ask, Follow) else 0
    if len(answer.scores) != due:
        return f"{len(answer.scores)} log-probabilities for {due} tokens"
    wrong = next((score.logprob for score in answer.scores if not math.isfinite(score.logprob)), None)
    return bad_id(answer.tokens) if wrong is None else f"a log-probability of {wrong}"


def _asks(request: Request, first_id: int, tokenizer: Tokenizer) -> Iterator[Ask]:
    prompt = request.prompt
    if not request.options:
        yield _generate(request, first_id, tokenizer)
        return
    labels = list(dict.fromkeys(option[0] for option in request.options if option))
    for start in range(0, len(labels), MOST_LABELS):
        yield Choose(first_id, prompt, tuple(labels[start : start + MOST_LABELS]))
        first_id += 1
    longer = dict.fromkeys(option for option in request.options if len(option) > 1)
    for number, option in enumerate(longer, start=first_id):
        yield Follow(number, (*prompt, option[0]), option[1:])


def _generate(request: Request, id_: int, tokenizer: Tokenizer) -> Generate:
    return Generate(id_, request.prompt, request.max_new_tokens, request.stop, tuple(sorted(tokenizer.eos_ids)))


def _option(
    option: tuple[int, ...], first: dict[int, TokenScore], rest: dict[tuple[int, ...], tuple[TokenScore, ...]]
) -> OptionScore:
    scores: Sequence[TokenScore] = (first[option[0]], *rest.get(option, ())) if option else ()
    return OptionScore(sum(s.logprob for s in scores), len(option), all(s.first for s in scores))
