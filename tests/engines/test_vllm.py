"""Real vLLM against transformers: the same ids, the same log-likelihoods, each document read once.

Runs where vLLM is installed (``nox -s vllm``), on a CPU, in float32, with a model made on the spot.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import tiny_checkpoint
from engine_requests import request
from poisoned_vllm import HANG, RAISE

from evalsuite.engines.vllm import VllmEngine, load
from evalsuite.engines.vllm.options import settings
from evalsuite.types import Completion, Request

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed; nox -s vllm installs it"),
]

OPTIONS = {"dtype": "float32", "kv_cache_memory_bytes": "24M"}
POSITIONS = 2048
BLOCK = 128


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint.save(tmp_path_factory.mktemp("tiny"), positions=POSITIONS)


@pytest.fixture(scope="session")
def engine(checkpoint: Path) -> Iterator[VllmEngine]:
    made = load(str(checkpoint), OPTIONS)
    yield made
    made.close()


@pytest.fixture(scope="session")
def reference(checkpoint: Path) -> Any:
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(checkpoint, dtype="float32").eval()


def document(seed: int, length: int = 600) -> list[int]:
    chance = random.Random(seed)  # noqa: S311 - test data
    return [0, *(chance.randrange(tiny_checkpoint.FIRST_BYTE, 259) for _ in range(length - 1))]


def questions(seed: int, count: int = 4, length: int = 600, **more: Any) -> list[Request]:
    return [
        request(
            [*document(seed, length), *document(1000 * seed + n, 12)[1:]],
            key=f"{seed}-{n}",
            document=str(seed),
            **more,
        )
        for n in range(count)
    ]


def answers(engine: VllmEngine, groups: Sequence[Sequence[Request]]) -> dict[str, Completion]:
    return {completion.key: completion for completion in engine.complete(groups)}


def greedy(reference: Any, prompt: Sequence[int], count: int) -> tuple[int, ...]:
    import torch

    with torch.inference_mode():
        made = reference.generate(torch.tensor([prompt]), max_new_tokens=count, do_sample=False)
    return tuple(made[0, len(prompt) :].tolist())


def log_likelihood(reference: Any, prompt: Sequence[int], option: Sequence[int]) -> tuple[float, bool]:
    import torch

    with torch.inference_mode():
        rows = torch.log_softmax(reference(torch.tensor([[*prompt, *option]])).logits[0].float(), dim=-1)
    rows = rows[len(prompt) - 1 : -1]
    picked = [float(row[id_]) for row, id_ in zip(rows, option, strict=True)]
    return sum(picked), all(int(row.argmax()) == id_ for row, id_ in zip(rows, option, strict=True))


def test_greedy_ids_are_those_of_transformers_in_float32(engine: VllmEngine, reference: Any) -> None:
    asked = [
        *questions(1, max_new_tokens=12),
        *questions(2, 2, length=1500, max_new_tokens=12),
        request([0], key="bos"),
    ]
    found = answers(engine, [asked[:4], asked[4:6], asked[6:]])
    for one in asked:
        completion = found[one.key]
        assert completion.error is None
        assert completion.token_ids == greedy(reference, one.prompt, one.max_new_tokens), one.key
        assert completion.finish_reason == ("eos" if completion.token_ids[-1] == 1 else "length")


def test_log_likelihoods_are_those_of_transformers_within_1e_4_though_the_document_is_cached(
    engine: VllmEngine, reference: Any
) -> None:
    letters, words = ((40,), (41,), (42,)), ((50, 51, 52), (50, 51), (60,), tuple(document(9, 200)[1:]))
    groups = [questions(3, 2, options=letters), questions(4, 2, options=words)]
    for group in (*groups, [questions(4, 1, options=words)[0]]):
        found = answers(engine, [group])
        for one in group:
            for option, score in zip(one.options, found[one.key].options, strict=True):
                expected, first = log_likelihood(reference, one.prompt, option)
                assert score.logprob == pytest.approx(expected, abs=1e-4)
                assert (score.tokens, score.greedy) == (len(option), first)
    assert found[group[0].key].cached_tokens > 500


def test_the_model_s_own_choice_is_reported_as_greedy(engine: VllmEngine, reference: Any) -> None:
    prompt = document(5)
    option = greedy(reference, prompt, 3)
    (completion,) = answers(engine, [[request(prompt, key="g", options=(option, option[:1], (7, 8)))]]).values()
    assert [score.greedy for score in completion.options] == [True, True, False]


def test_a_document_is_computed_once_for_all_its_questions(engine: VllmEngine) -> None:
    before = engine.computed_tokens
    found = answers(engine, [questions(6, 6, length=900), questions(7, 6, length=900)])
    for seed in (6, 7):
        cached = sorted(found[f"{seed}-{n}"].cached_tokens for n in range(6))
        assert cached == [0, *([900 // BLOCK * BLOCK] * 5)]
    distinct = 2 * (900 + 6 * 11)
    assert engine.computed_tokens - before <= distinct + 12 * BLOCK


def test_an_over_long_prompt_fails_by_itself_and_the_longest_possible_is_answered(
    engine: VllmEngine, reference: Any
) -> None:
    fits = request(document(8, POSITIONS - 4), key="fits")
    full = request(document(8, POSITIONS - 3), key="full", options=((20, 21, 22), (23,)))
    long = request(document(8, POSITIONS - 3), key="long")
    found = answers(engine, [[fits, full, long]])
    assert f"more than the {POSITIONS}" in found["long"].error
    assert found["fits"].error is None
    expected, _ = log_likelihood(reference, full.prompt, full.options[0])
    assert found["full"].options[0].logprob == pytest.approx(expected, abs=1e-4)


def test_a_stop_string_ends_text_and_ids_where_it_begins(engine: VllmEngine, reference: Any) -> None:
    prompt = document(11)
    ids = greedy(reference, prompt, 24)
    text = engine.tokenizer.decode(ids)
    # The model knows more ids than the tokenizer has words: vLLM sees letters in those where the tokenizer sees none.
    at = next(i for i in range(4, len(text)) if text[i].isascii() and text[i] not in text[:i])
    (completion,) = answers(engine, [[request(prompt, key="s", max_new_tokens=24, stop=[text[at]])]]).values()
    assert (completion.text, completion.finish_reason) == (text[:at], "stop")
    assert completion.token_ids == ids[: len(completion.token_ids)]


def test_answers_are_the_same_whatever_the_order_and_the_cache(engine: VllmEngine, checkpoint: Path) -> None:
    groups = [questions(12, 3, length=300), questions(13, 3, length=300, options=((50, 51), (60,)))]
    plain = load(str(checkpoint), {**OPTIONS, "enable_prefix_caching": "false", "max_num_seqs": "1"})
    try:
        one = answers(plain, [group[::-1] for group in groups[::-1]])
    finally:
        plain.close()
    other = answers(engine, groups)
    assert {completion.cached_tokens for completion in one.values()} == {0}
    for key, completion in one.items():
        assert completion.token_ids == other[key].token_ids
        for first, second in zip(completion.options, other[key].options, strict=True):
            assert first.logprob == pytest.approx(second.logprob, abs=1e-4)


@pytest.mark.parametrize("poison", [HANG, RAISE])
def test_a_sample_that_breaks_vllm_fails_alone(checkpoint: Path, poison: int) -> None:
    chosen = settings(str(checkpoint), {**OPTIONS, "watchdog": "10"}, None)
    command = (sys.executable, str(Path(__file__).with_name("poisoned_vllm.py")))
    engine = VllmEngine(chosen, chosen.load_tokenizer(), command=command)
    try:
        found = answers(engine, [[request([5, 6], key="good"), request([5, 6, poison], key="bad")]])
    finally:
        engine.close()
    assert [key for key, completion in found.items() if completion.error] == ["bad"]
    assert len(found) == 2


def test_an_engine_killed_in_the_middle_is_started_again_and_nothing_is_lost(checkpoint: Path) -> None:
    engine = load(str(checkpoint), OPTIONS)
    try:
        stream = engine.complete([questions(14, 3, length=300), questions(15, 3, length=300)])
        first = next(stream)
        os.kill(engine.worker_pid, signal.SIGKILL)
        found = {first.key: first, **{completion.key: completion for completion in stream}}
    finally:
        engine.close()
    assert len(found) == 6
    assert not any(completion.error for completion in found.values())


def test_rope_overrides_reach_vllm_and_change_the_identity(engine: VllmEngine, checkpoint: Path) -> None:
    other = load(
        str(checkpoint),
        {
            **OPTIONS,
            "hf_overrides.rope_parameters.rope_type": "default",
            "hf_overrides.rope_parameters.rope_theta": "500000",
        },
    )
    try:
        group = questions(16, 2, length=900, options=((50,), (51,)))
        changed, plain = answers(other, [group]), answers(engine, [group])
    finally:
        other.close()
    assert other.info.model.hash != engine.info.model.hash
    assert abs(changed["16-0"].options[0].logprob - plain["16-0"].options[0].logprob) > 1e-3
