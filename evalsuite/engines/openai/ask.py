"""One request as a server is asked for it, and its answer as a completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.engines._generated import first_stop, generated
from evalsuite.engines.openai.agreement import agree
from evalsuite.engines.openai.http import Client, NoAnswer, Passing
from evalsuite.engines.openai.options import Options
from evalsuite.engines.openai.reply import Reply, Usage, read_option, read_reply, read_usage
from evalsuite.engines.openai.secret import Secret
from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Completion, OptionScore, Request

MOST_STOPS = 4
"""Stop strings OpenAI's own endpoints take; further ones are looked for here."""
MOST_QUOTED = 60
"""Characters of each text that are shown where two differ."""


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

    def ask(self, request: Request, counted: list[Usage]) -> Completion:
        """The completion of a request.

        Args:
            request: what to ask.
            counted: gets what the server counted for each of its answers, those that were refused included.

        Raises:
            NoAnswer: the server gives none.
            UsageError: the server cannot do what is asked at all.
        """
        return self._score(request, counted) if request.options else self._generate(request, counted)

    def _generate(self, request: Request, counted: list[Usage]) -> Completion:
        path, body = generation(self._options, self._mode, self._tokenizer, request)
        tokens = len(request.prompt) + request.max_new_tokens

        def read(said: dict[str, Any]) -> Completion:
            counted.append(read_usage(said))
            reply = read_reply(said, request.stop)
            self._check_prompt(request.prompt, reply.usage)
            return self._completion(request, reply)

        return self._client.post(path, body, read, tokens=tokens)

    def _completion(self, request: Request, reply: Reply) -> Completion:
        stop = request.stop
        self._check_length(request, reply)
        if self._mode.returns_ids:
            if reply.ids is None:
                raise Passing("an answer without the token ids that this server gives")
            self._check_text(reply.text, reply.ids, stop)
            made = generated(reply.ids, reply.finish, stop, self._tokenizer)
            text, ids, finish = made.text, made.ids, made.finish
        else:
            at = first_stop(reply.text, stop)
            text, ids = reply.text[:at], ()
            finish = reply.finish if at is None else "stop"
        if self._client.secret.held_in(text):
            raise NoAnswer("the answer holds the key, which is never written down")
        usage = reply.usage
        return Completion(request.key, text, ids, finish, usage.prompt, usage.cached)

    def _score(self, request: Request, counted: list[Usage]) -> Completion:
        if not self._mode.ids:
            raise UsageError("log-likelihoods need a completions endpoint that takes token ids; this one does not")
        scores: list[OptionScore] = []
        cached: list[int | None] = []
        for option in request.options:
            scores.append(self._option(request.prompt, option, counted))
            cached.append(counted[-1].cached)
        return Completion(
            request.key, prompt_tokens=len(request.prompt), cached_tokens=cached[0], options=tuple(scores)
        )

    def _option(self, prompt: tuple[int, ...], option: tuple[int, ...], counted: list[Usage]) -> OptionScore:
        ids = (*prompt, *option)

        def read(said: dict[str, Any]) -> OptionScore:
            counted.append(read_usage(said))
            self._check_prompt(ids, counted[-1])
            return read_option(said, len(prompt), len(option))

        return self._client.post("/completions", scoring(self._options, ids), read, tokens=len(ids) + 1)

    def _check_prompt(self, sent: Sequence[int], usage: Usage) -> None:
        """Refuses an answer to another prompt than the one sent."""
        if self._mode.ids and usage.prompt is not None and usage.prompt != len(sent):
            raise NoAnswer(
                f"the server read {usage.prompt} tokens of the {len(sent)} sent: it cut or changed the prompt"
            )

    def _check_length(self, request: Request, reply: Reply) -> None:
        """Refuses an answer longer than was asked for; some servers count the end token besides."""
        most = request.max_new_tokens
        made = reply.usage.answer if reply.ids is None or not self._mode.returns_ids else len(reply.ids)
        if made is not None and made > most + 1:
            raise NoAnswer(f"the server made {made} tokens where {most} were asked for")

    def _check_text(self, text: str, ids: Sequence[int], stop: Sequence[str]) -> None:
        """Refuses an answer whose two forms contradict each other."""
        if not agree(text, ids, stop, self._tokenizer):
            raise NoAnswer(disagreement(text, ids, self._tokenizer, self._client.secret))


def disagreement(text: str, ids: Sequence[int], tokenizer: Tokenizer, secret: Secret) -> str:
    """What to tell where a server's text is not that of its token ids."""
    said, ours = secret.shown(text), secret.shown(tokenizer.decode(ids, skip_special_tokens=True))
    return (
        "the server's text is not that of its token ids; is tokenizer=PATH the served model's own? "
        f"Its text: {said[:MOST_QUOTED]!r}, its ids: {ours[:MOST_QUOTED]!r}"
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
