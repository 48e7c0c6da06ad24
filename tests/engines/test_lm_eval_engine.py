"""Models of lm-eval behind our protocol: the same answers as transformers gives, nothing cut, nothing guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_checkpoint
from engine_requests import request

from evalsuite.engines.checked import checked
from evalsuite.engines.lm_eval import LmEvalEngine, load
from evalsuite.errors import UsageError
from evalsuite.types import Completion, Request

POSITIONS = 128


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint.save(tmp_path_factory.mktemp("tiny"), positions=POSITIONS)


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[LmEvalEngine]:
    made = load("hf", {"pretrained": str(checkpoint), "dtype": "float32", "device": "cpu"})
    yield made
    made.close()


@pytest.fixture(scope="module")
def reference(checkpoint: Path) -> Any:
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(checkpoint, dtype="float32").eval()


def answers(engine: LmEvalEngine, *requests: Request) -> dict[str, Completion]:
    return {completion.key: completion for completion in engine.complete([requests])}


def test_a_generation_is_the_model_s_own_and_what_lm_eval_does_not_tell_stays_open(
    engine: LmEvalEngine, reference: Any
) -> None:
    import torch

    prompt = [0, *range(40, 70)]
    (completion,) = answers(engine, request(prompt, key="g", max_new_tokens=8)).values()
    ids = reference.generate(torch.tensor([prompt]), max_new_tokens=8, do_sample=False)[0, len(prompt) :].tolist()
    assert completion.text == engine.tokenizer.decode(ids, skip_special_tokens=True)
    told = (completion.finish_reason, completion.prompt_tokens, completion.cached_tokens, completion.token_ids)
    assert told == (None, None, None, ())
    assert not any("other token ids" in note for note in engine.info.notes)


def test_options_are_scored_on_exactly_our_ids(engine: LmEvalEngine, reference: Any) -> None:
    import torch

    prompt, options = [0, *range(40, 60)], ((70, 71), (72,))
    (completion,) = answers(engine, request(prompt, key="o", options=options)).values()
    for option, score in zip(options, completion.options, strict=True):
        with torch.inference_mode():
            rows = torch.log_softmax(reference(torch.tensor([[*prompt, *option]])).logits[0], dim=-1)
        expected = sum(float(rows[len(prompt) - 1 + n, id_]) for n, id_ in enumerate(option))
        assert score.logprob == pytest.approx(expected, abs=1e-4)
        assert score.tokens == len(option)


def test_a_prompt_lm_eval_would_cut_is_failed_and_the_longest_one_is_answered(engine: LmEvalEngine) -> None:
    limit = engine.info.max_model_len or 0
    assert limit == POSITIONS - 1
    fits = request([0, *([40] * (limit - 5))], key="fits")
    long = request([0, *([40] * (limit - 4))], key="long")
    found = answers(engine, fits, long)
    assert found["fits"].error is None
    assert "lm-eval would cut it" in (found["long"].error or "")


def test_one_sample_that_makes_the_model_raise_fails_alone(
    engine: LmEvalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = type(engine._lm).generate_until

    def generate_until(lm: Any, instances: list[Any], **more: Any) -> Any:
        if any("poison" in instance.args[0] for instance in instances):
            raise RuntimeError("planted")
        return sound(lm, instances, **more)

    monkeypatch.setattr(type(engine._lm), "generate_until", generate_until)
    bad = request([0, *engine.tokenizer.encode("poison")], key="bad")
    found = answers(engine, request([0, 40], key="a"), bad, request([0, 41], key="b"))
    assert {key: completion.error for key, completion in found.items()} == {
        "a": None,
        "bad": "lm-eval: RuntimeError: planted",
        "b": None,
    }


def test_an_unknown_model_is_answered_with_the_nearest(checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        load("vlllm", {"pretrained": str(checkpoint)})


def test_arguments_a_model_does_not_take_are_one_clear_line(checkpoint: Path) -> None:
    with pytest.raises(UsageError, match=r"lm-eval:hf cannot be made: TypeError: .*nonsense"):
        load("hf", {"pretrained": str(checkpoint), "nonsense": "1", "device": "cpu"})


def test_without_a_tokenizer_it_says_what_to_give() -> None:
    with pytest.raises(UsageError, match="tokenizer_path=PATH"):
        load("dummy", {})


def test_the_identity_is_the_content_and_never_a_path(checkpoint: Path, engine: LmEvalEngine) -> None:
    assert str(checkpoint) not in repr(engine.info)
    assert engine.info.model.options["dtype"] == "float32"


def test_an_answer_ends_before_the_earliest_of_all_its_stop_strings(
    engine: LmEvalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def generate_until(_: Any, instances: list[Any], **__: Any) -> list[str]:
        asked.extend(instance.args[1]["until"] for instance in instances)
        return ["xabcd" for _ in instances]

    monkeypatch.setattr(type(engine._lm), "generate_until", generate_until)
    stops = {"earliest": ("c", "bc"), "fifth": ("1", "2", "3", "4", "d"), "none": ("Z",)}
    found = answers(engine, *(request([0, 40], key=key, stop=stop) for key, stop in stops.items()))
    assert {key: completion.text for key, completion in found.items()} == {
        "earliest": "xa",
        "fifth": "xabc",
        "none": "xabcd",
    }
    assert asked == [list(stop) for stop in stops.values()]
    assert {completion.finish_reason for completion in found.values()} == {None}


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_log_likelihood_that_is_none_fails_its_request_alone(
    engine: LmEvalEngine, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    asked = [request([0, *range(40, 50 + n)], key=f"r{n}", options=((70,), (71,))) for n in range(3)]
    ask = engine._lm._loglikelihood_tokens

    def spoiled(pairs: Any) -> Any:
        return [(value if len(pair[1]) == 12 else own[0], own[1]) for pair, own in zip(pairs, ask(pairs), strict=True)]

    monkeypatch.setattr(engine._lm, "_loglikelihood_tokens", spoiled)
    found = {completion.key: completion for completion in checked(engine, [asked])}
    assert [key for key, completion in found.items() if completion.error] == ["r1"]
    assert found["r1"].error == f"the model's answer is unusable: the log-likelihood of option 1 is {value}"


def test_half_a_character_in_a_text_fails_its_request_alone(
    engine: LmEvalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine._lm, "generate_until", lambda asked: ["Paris", "Par\ud83d"][: len(asked)])
    found = list(checked(engine, [[request([0, 40, n], key=f"r{n}") for n in (41, 42)]]))
    assert [(completion.key, bool(completion.error)) for completion in found] == [("r41", False), ("r42", True)]
