"""The two sides of the vLLM benchmark: our engine, and lm-eval's class made to count."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.engines.vllm import VllmEngine, load
from evalsuite.interfaces import Tokenizer
from evalsuite.types import Completion, Request


@dataclass(frozen=True, slots=True)
class Setup:
    """A checkpoint and the cache both sides get."""

    checkpoint: Path
    sizes: dict[str, int]
    longest: int
    """Most tokens of a prompt and its answer."""
    kv_tokens: int

    @property
    def kv_bytes(self) -> int:
        """Bytes of that many float32 keys and values."""
        width = self.sizes["hidden_size"] // self.sizes["num_attention_heads"]
        return self.kv_tokens * self.sizes["num_hidden_layers"] * self.sizes["num_key_value_heads"] * width * 2 * 4


@dataclass(frozen=True, slots=True)
class Run:
    """What one side did with a set of requests."""

    seconds: float
    computed: int
    """Prompt and option tokens computed."""
    answers: dict[str, Any]
    """By request: token ids, or log-likelihoods of the options."""


class Ours:
    """Our engine."""

    def __init__(self, setup: Setup) -> None:
        options = {"dtype": "float32", "kv_cache_memory_bytes": str(setup.kv_bytes)}
        self._engine: VllmEngine = load(str(setup.checkpoint), options, max_model_len=setup.longest)

    def run(self, asked: Sequence[Sequence[Request]]) -> Run:
        """Answers all groups."""
        before, began = self._engine.computed_tokens, time.perf_counter()
        found = {completion.key: self._answer(completion) for completion in self._engine.complete(asked)}
        return Run(time.perf_counter() - began, self._engine.computed_tokens - before, found)

    def close(self) -> None:
        """Ends the worker."""
        self._engine.close()

    @staticmethod
    def _answer(completion: Completion) -> Any:
        if completion.error is not None:
            raise RuntimeError(completion.error)
        return tuple(option.logprob for option in completion.options) or completion.text


class Theirs:
    """lm-eval's class, its engine wrapped so that it counts."""

    def __init__(self, setup: Setup, tokenizer: Tokenizer) -> None:
        from lm_eval.models.vllm_causallms import VLLM

        self._tokenizer = tokenizer
        self._lm = VLLM(
            pretrained=str(setup.checkpoint),
            dtype="float32",
            batch_size="auto",
            enforce_eager=True,
            enable_prefix_caching=True,
            kv_cache_memory_bytes=setup.kv_bytes,
            max_model_len=setup.longest,
            seed=0,
        )
        self._computed = 0
        self._generate = self._lm.model.generate
        self._lm.model.generate = self._counted

    def run(self, asked: Sequence[Sequence[Request]]) -> Run:
        """Answers all groups, in the order lm-eval puts them."""
        requests = [request for group in asked for request in group]
        before, began = self._computed, time.perf_counter()
        found = self._scored(requests) if requests[0].options else self._generated(requests)
        return Run(time.perf_counter() - began, self._computed - before, found)

    def close(self) -> None:
        """Frees the engine."""
        self._lm.model.generate = None
        del self._generate
        self._lm = None
        gc.collect()

    def _counted(self, *arguments: Any, **more: Any) -> Any:
        outputs = self._generate(*arguments, **more)
        self._computed += sum(len(out.prompt_token_ids) - (out.num_cached_tokens or 0) for out in outputs)
        return outputs

    def _generated(self, requests: Sequence[Request]) -> dict[str, Any]:
        from lm_eval.api.instance import Instance

        asked = [
            Instance("generate_until", {}, (self._text(request), _until(request)), number)
            for number, request in enumerate(requests)
        ]
        texts = self._lm.generate_until(asked, disable_tqdm=True)
        return {request.key: text for request, text in zip(requests, texts, strict=True)}

    def _scored(self, requests: Sequence[Request]) -> dict[str, Any]:
        from lm_eval.api.instance import Instance

        pairs = [(request, option) for request in requests for option in request.options]
        asked = [
            Instance("loglikelihood", {}, (self._text(request), self._tokenizer.decode(option)), number)
            for number, (request, option) in enumerate(pairs)
        ]
        scores = iter(self._lm.loglikelihood(asked, disable_tqdm=True))
        return {request.key: tuple(next(scores)[0] for _ in request.options) for request in requests}

    def _text(self, request: Request) -> str:
        text = self._tokenizer.decode(request.prompt)
        if tuple(self._tokenizer.encode(text)) != request.prompt:
            raise RuntimeError(f"{request.key}: lm-eval would read other ids; nothing to compare")
        return text


def _until(request: Request) -> dict[str, Any]:
    return {"until": [], "max_gen_toks": request.max_new_tokens, "do_sample": False, "temperature": 0.0}


@contextmanager
def both(setup: Setup, tokenizer: Tokenizer) -> Iterator[dict[str, Ours | Theirs]]:
    """Both engines, loaded."""
    theirs = Theirs(setup, tokenizer)
    ours = Ours(setup)
    try:
        yield {"peer": theirs, "ours": ours}
    finally:
        ours.close()
        theirs.close()
