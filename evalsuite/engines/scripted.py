"""An engine that answers from a function: for tests, walk-throughs and trying a task before a model is at hand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from evalsuite.errors import UsageError, unknown
from evalsuite.interfaces import Encoding
from evalsuite.records import EngineInfo, ModelIdentity
from evalsuite.tokenizers.whole import WholeText
from evalsuite.types import Completion, OptionScore, Request

Answer: TypeAlias = Callable[[str], str] | Mapping[str, str]
"""Prompt text (BOS left out) to answer; a mapping answers "" to prompts it does not hold."""

WORDS = 8
DEFAULT_MAX_MODEL_LEN = 1 << 20


class CharacterTokenizer:
    """One id a character (its code point, behind the special ids): stateless, reversible, the same everywhere."""

    SPECIAL = ("<pad>", "<s>", "</s>")
    bos_id: int | None = 1
    eos_ids: frozenset[int] = frozenset({2})
    hash = hashlib.sha256(b"scripted characters 1").hexdigest()

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids; a special token's spelling becomes its id. ``special_tokens`` puts the BOS in front."""
        return [1] * special_tokens + [id_ for id_, _ in self._tokens(text)]

    def encode_literal(self, text: str) -> Encoding:
        """One id a character, whatever it spells."""
        ids = tuple(map(len(self.SPECIAL).__add__, map(ord, text)))
        return Encoding(ids, tuple(zip(range(len(text)), range(1, len(text) + 1), strict=True)))

    def encode_joined(self, texts: Sequence[str]) -> WholeText:
        """The tokens of the texts, one behind the other."""
        return WholeText("".join(texts), self.encode_literal)

    def encode_template(self, text: str) -> list[int]:
        """As ``encode``."""
        return self.encode(text)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of ``encode(text)``."""
        return [span for _, span in self._tokens(text)]

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The characters of the ids, special tokens by their spelling."""
        offset = len(self.SPECIAL)
        special = ("",) * offset if skip_special_tokens else self.SPECIAL
        return "".join(special[id_] if id_ < offset else chr(id_ - offset) for id_ in ids)

    def chat_template(self, messages: Sequence[Mapping[str, str]], *, date: str | None = None) -> str | None:
        """``<role>`` lines, ready for the assistant's turn; they show no date."""
        if date is not None:
            raise UsageError(f"--template-date {date}: scripted models' chat template prints no date; leave it out")
        return "".join(f"[{m['role']}]\n{m['content']}</s>\n" for m in messages) + "[assistant]\n"

    def _tokens(self, text: str) -> Iterator[tuple[int, tuple[int, int]]]:
        # The pattern matches one special spelling or one character, so matches cover the text without gaps.
        for match in _TOKEN.finditer(text):
            piece = match.group()
            id_ = self.SPECIAL.index(piece) if len(piece) > 1 else ord(piece) + len(self.SPECIAL)
            yield id_, match.span()


_TOKEN = re.compile("|".join([*map(re.escape, CharacterTokenizer.SPECIAL), "."]), re.DOTALL)


class ScriptedEngine:
    """Answers every request from a function or mapping of the prompt's text."""

    def __init__(self, answer: Answer, *, name: str = "scripted", max_model_len: int | None = None) -> None:
        self.tokenizer = CharacterTokenizer()
        self._answer = answer
        length = DEFAULT_MAX_MODEL_LEN if max_model_len is None else max_model_len
        identity = ModelIdentity(name=name, hash=hashlib.sha256(f"scripted {name}".encode()).hexdigest())
        self.info = EngineInfo(
            scheme="scripted",
            version="1",
            model=identity,
            max_model_len=length,
            max_model_len_source="default" if max_model_len is None else "option",
            tokenizer=self.tokenizer.hash,
        )

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers each request in turn."""
        for group in groups:
            for request in group:
                yield self._complete(request)

    def close(self) -> None:
        """Nothing to free."""

    def _complete(self, request: Request) -> Completion:
        room = (self.info.max_model_len or 0) - len(request.prompt)
        longest = request.answer_tokens
        if longest > room:
            error = f"{len(request.prompt)} prompt tokens leave {room} of {self.info.max_model_len}: need {longest}"
            return Completion(key=request.key, prompt_tokens=len(request.prompt), error=error)
        prompt = self.tokenizer.decode(request.prompt, skip_special_tokens=True)
        answer = self._answer(prompt) if callable(self._answer) else self._answer.get(prompt, "")
        if request.options:
            scores = tuple(self._score(answer, option) for option in request.options)
            return Completion(key=request.key, prompt_tokens=len(request.prompt), cached_tokens=0, options=scores)
        return self._generate(request, answer)

    def _score(self, answer: str, option: tuple[int, ...]) -> OptionScore:
        text = self.tokenizer.decode(option).strip()
        chosen = bool(text) and answer.strip().startswith(text)
        return OptionScore(logprob=-len(option) * (0.125 if chosen else 2.0), tokens=len(option), greedy=chosen)

    def _generate(self, request: Request, answer: str) -> Completion:
        stops = [at for stop in request.stop if (at := answer.find(stop)) >= 0]
        text = answer[: min(stops)] if stops else answer
        ids = self.tokenizer.encode_literal(text).ids
        capped = len(ids) > request.max_new_tokens
        ids = ids[: request.max_new_tokens]
        return Completion(
            key=request.key,
            text=self.tokenizer.decode(ids),
            token_ids=ids,
            finish_reason="length" if capped else "stop" if stops else "eos",
            prompt_tokens=len(request.prompt),
            cached_tokens=0,
        )


def _echo(prompt: str) -> str:
    lines = [line.strip() for line in prompt.splitlines() if line.strip()]
    return lines[-1] if lines else ""


SCRIPTS: Mapping[str, Callable[[str], str]] = {
    "echo": _echo,
    "first-words": lambda prompt: " ".join(prompt.split()[:WORDS]),
    "letter-a": lambda _: "A",
    "silent": lambda _: "",
}
"""What ``scripted:NAME`` can be: the prompt's last line, its first eight words, always A, nothing."""


def load(name: str, options: Mapping[str, str], *, max_model_len: int | None = None) -> ScriptedEngine:
    """The scripted engine of that name.

    Raises:
        UsageError: an unknown script or any option.
    """
    if name not in SCRIPTS:
        raise UsageError(unknown("script", name, SCRIPTS))
    if options:
        raise UsageError(f"scripted models take no options; got: {', '.join(sorted(options))}")
    return ScriptedEngine(SCRIPTS[name], name=name, max_model_len=max_model_len)
