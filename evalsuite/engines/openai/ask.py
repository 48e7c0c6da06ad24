"""One request as a server is asked for it, and its answer as a completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.engines._generated import first_stop, generated
from evalsuite.engines.openai.http import Client, NoAnswer
from evalsuite.engines.openai.options import Options
from evalsuite.engines.openai.reply import Reply, Usage, read_option, read_reply, read_usage
from evalsuite.errors import UsageError
from evalsuite.protocols import Tokenizer
from evalsuite.types import Completion, OptionScore, Request

MOST_STOPS = 4
"""Stop strings OpenAI's own endpoints take; further ones are looked for here."""


@dataclass(frozen=True, slots=True)
class Mode:
    """How the server is spoken to."""

    chat: bool = False
    ids: bool = False
    """The prompt goes as token ids."""
    returns_ids: bool = False
    """The answer comes with its token ids."""


class Asker:
    """Asks for generations and log-likelihoods. Safe to use from several threads."""

    def __init__(self, chosen: Options, client: Client, mode: Mode, tokenizer: Tokenizer) -> None:
        self._options, self._client, self._mode, self._tokenizer = chosen, client, mode, tokenizer

    def ask(self, request: Request) -> tuple[Completion, tuple[Usage, ...]]:
        """The completion of a request and what the server counted for it.

        Raises:
            NoAnswer: the server gives none.
            UsageError: the server cannot do what is asked at all.
        """
        return self._score(request) if request.options else self._generate(request)

    def _generate(self, request: Request) -> tuple[Completion, tuple[Usage, ...]]:
        path, body = generation(self._options, self._mode, self._tokenizer, request)
        reply = self._client.post(path, body, lambda said: read_reply(said, request.stop))
        self._check_prompt(request.prompt, reply.usage)
        return self._completion(request, reply), (reply.usage,)

    def _completion(self, request: Request, reply: Reply) -> Completion:
        stop = request.stop
        if reply.ids is not None:
            made = generated(reply.ids, reply.finish, stop, self._tokenizer)
            text, ids, finish = made.text, made.ids, made.finish
        else:
            at = first_stop(reply.text, stop)
            text, ids = reply.text[:at], ()
            finish = reply.finish if at is None else "stop"
        usage = reply.usage
        return Completion(request.key, text, ids, finish, usage.prompt, usage.cached)

    def _score(self, request: Request) -> tuple[Completion, tuple[Usage, ...]]:
        if not self._mode.ids:
            raise UsageError("log-likelihoods need a completions endpoint that takes token ids; this one does not")
        scores: list[OptionScore] = []
        usages: list[Usage] = []
        for option in request.options:
            score, usage = self._option(request.prompt, option)
            scores.append(score)
            usages.append(usage)
        cached = usages[0].cached
        return Completion(
            request.key, prompt_tokens=len(request.prompt), cached_tokens=cached, options=tuple(scores)
        ), tuple(usages)

    def _option(self, prompt: tuple[int, ...], option: tuple[int, ...]) -> tuple[OptionScore, Usage]:
        ids = (*prompt, *option)

        def read(said: dict[str, Any]) -> tuple[OptionScore, Usage]:
            return read_option(said, len(prompt), len(option)), read_usage(said)

        score, usage = self._client.post("/completions", scoring(self._options, ids), read)
        self._check_prompt(ids, usage)
        return score, usage

    def _check_prompt(self, sent: Sequence[int], usage: Usage) -> None:
        """Refuses an answer to another prompt than the one sent."""
        if self._mode.ids and usage.prompt is not None and usage.prompt != len(sent):
            raise NoAnswer(
                f"the server read {usage.prompt} tokens of the {len(sent)} sent: it cut or changed the prompt"
            )


def generation(chosen: Options, mode: Mode, tokenizer: Tokenizer, request: Request) -> tuple[str, dict[str, Any]]:
    """Path and body that ask for a greedy generation."""
    body: dict[str, Any] = {"model": chosen.model, "temperature": 0, "max_tokens": request.max_new_tokens}
    if request.stop:
        body["stop"] = list(request.stop[:MOST_STOPS])
    if mode.chat:
        content = prompt_text(tokenizer, request.prompt)
        return "/chat/completions", {**body, "messages": [{"role": "user", "content": content}], **chosen.body}
    body["prompt"] = list(request.prompt) if mode.ids else prompt_text(tokenizer, request.prompt)
    if mode.returns_ids:
        body["return_token_ids"] = True
    return "/completions", {**body, **chosen.body}


def scoring(chosen: Options, ids: Sequence[int]) -> dict[str, Any]:
    """The body that asks for the log-probabilities of a prompt."""
    asked = {"model": chosen.model, "temperature": 0, "max_tokens": 1, "echo": True, "logprobs": 1}
    return {**asked, "prompt": list(ids), **chosen.body}


def prompt_text(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """A prompt as text, without the BOS that the server's own tokenizer puts in front."""
    framed = bool(ids) and ids[0] == tokenizer.bos_id
    return tokenizer.decode(ids[1:] if framed else ids)
