"""Small random models and requests for the tests of the Hugging Face engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from evalsuite.types import Completion, Cut, Request
from evalsuite.work import Choose, Generate

if TYPE_CHECKING:
    from evalsuite.engines.hf import HFEngine

TOLERANCE = 1e-4
"""Largest difference of a float32 log-likelihood between two ways of computing it."""
VOCABULARY = 300
SPREAD = 0.08
"""Weights this wide make the choices of a random model clear enough to compare."""
CUT = Cut(strategy="left", side=None, budget=1000, bound="model", tokens_before=1, tokens_kept=1)


def save_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<s>": 0, "</s>": 1, **{character: index + 2 for index, character in enumerate(alphabet)}}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)


def save_model(folder: Path, kind: str = "Llama", **changes: Any) -> Path:
    """A tiny random model of some architecture, with a byte tokenizer."""
    import torch
    import transformers

    sizes: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "initializer_range": SPREAD,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": None,
    }
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{**sizes, **changes})
    causal = not config.is_encoder_decoder
    name = f"{kind}ForCausalLM" if causal else f"{kind}ForConditionalGeneration"
    name = {"GPT2": "GPT2LMHeadModel", "Gemma4Text": "Gemma4ForCausalLM"}.get(kind, name)
    getattr(transformers, name)(config).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def ids(generator: np.random.Generator, length: int) -> list[int]:
    return [int(id_) for id_ in generator.integers(2, 258, length)]


def request(
    key: str, prompt: Sequence[int], *, options: Sequence[Sequence[int]] = (), new: int = 12, stop: tuple[str, ...] = ()
) -> Request:
    return Request(
        id=f"cell/{key}",
        cell="cell",
        sample_id=key,
        document_hash="d",
        key=key,
        prompt=tuple(prompt),
        work=Choose(tuple(map(tuple, options))) if options else Generate(max_new_tokens=new, stop=stop),
        cut=CUT,
    )


def document_requests(
    seed: int, length: int, questions: int, *, name: str = "", head: Sequence[int] = ()
) -> list[Request]:
    """Questions about one document, half of them generated, half with options of one or several tokens."""
    generator = np.random.default_rng(seed)
    document = [0, *head, *ids(generator, length)]
    found = []
    for number in range(questions):
        prompt = [*document, *ids(generator, int(generator.integers(1, 12)))]
        stem = ids(generator, 2)
        options: list[list[int]] = []
        if number % 2:
            options = [[*stem, *ids(generator, int(generator.integers(1, 4)))] for _ in range(4)]
        if number % 4 == 3:
            options = [ids(generator, 1) for _ in range(4)]
        found.append(request(f"{name}{seed}-{number}", prompt, options=options))
    return found


def answers(completions: Sequence[Completion]) -> dict[str, tuple[Any, ...]]:
    """What must be equal whatever the way it was computed."""
    return {c.key: (c.text, c.token_ids, c.finish_reason, c.prompt_tokens, c.error) for c in completions}


def logprobs(completions: Sequence[Completion]) -> dict[str, list[float]]:
    return {c.key: [option.logprob for option in c.options] for c in completions}


def assert_equal(found: Sequence[Completion], expected: Sequence[Completion]) -> None:
    assert answers(found) == answers(expected)
    assert max(differences(found, expected), default=0.0) < TOLERANCE
    greedy = {c.key: [option.greedy for option in c.options] for c in expected}
    assert {c.key: [option.greedy for option in c.options] for c in found} == greedy


def differences(found: Sequence[Completion], expected: Sequence[Completion]) -> Iterator[float]:
    ours, theirs = logprobs(found), logprobs(expected)
    for key, values in theirs.items():
        yield from (abs(a - b) for a, b in zip(ours[key], values, strict=True))


def plant(fault: str, engine: HFEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Breaks the packed path on purpose: a mask, positions, what the cache keeps, or which prefix it is."""
    from evalsuite.engines.hf.compute.network import Network
    from evalsuite.engines.hf.prefix.cache import BufferCache
    from evalsuite.engines.hf.prefix.layout import Held

    whole = Network.forward

    def forward(self: Network, given: Any, cache: Any, *, positions: Any = None, mask: Any = None, **more: Any) -> Any:
        if fault == "mask" and mask is not None:
            mask = mask.clone().fill_(True)  # noqa: FBT003  # torch's own signature
        if fault == "positions" and positions is not None:
            positions = positions + 1
        return whole(self, given, cache, positions=positions, mask=mask, **more)

    monkeypatch.setattr(Network, "forward", forward)
    if fault == "crop":
        keep = BufferCache.keep
        monkeypatch.setattr(BufferCache, "keep", lambda self, tokens: keep(self, max(tokens - 1, 0)))
    if fault == "stale prefix":
        monkeypatch.setattr(Held, "shared_with", lambda _, pack: pack.prefix if engine.counters.packed else 0)
