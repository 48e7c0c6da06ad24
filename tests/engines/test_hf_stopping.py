"""Where an answer ends and why, and numbers that are read in float32 whatever the model computes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pytest
from hf_models import document_requests, ids, request, save_model, save_tokenizer

from evalsuite.engines._generated import generated
from evalsuite.engines.hf import load
from evalsuite.engines.hf.compute.stopping import Answer
from evalsuite.tokenizers import HFTokenizer, load_tokenizer

END = 1
Finish: TypeAlias = Literal["stop", "eos", "length"] | None
Ended: TypeAlias = tuple[str, int, Finish]
"""Text, tokens and reason of an answer."""
End: TypeAlias = Callable[[HFTokenizer, list[int], tuple[str, ...], int], Ended]


def _token_by_token(tokenizer: HFTokenizer, given: list[int], stop: tuple[str, ...], limit: int) -> Ended:
    """As the Hugging Face engine ends an answer."""
    answer = Answer(request("q", [0], new=limit, stop=stop), tokenizer, frozenset({END}))
    answer.extend(given)
    found = answer.completion(0)
    return found.text, len(found.token_ids), found.finish_reason


def _all_at_once(tokenizer: HFTokenizer, given: list[int], stop: tuple[str, ...], limit: int) -> Ended:
    """As other engines' answers are ended, which say themselves whether it was the limit."""
    kept = given[:limit]
    found = generated(kept, "eos" if END in kept else "length", stop, tokenizer)
    return found.text, len(found.ids), found.finish


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> HFTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(folder)
    return load_tokenizer(str(folder))


@pytest.mark.parametrize("end", [_token_by_token, _all_at_once])
@pytest.mark.parametrize(
    ("text", "stop", "expected"),
    [
        ("one two", ("wo",), ("one t", 7, "stop")),
        ("no time", ("o t",), ("n", 4, "stop")),
        ("one two", ("two", "e two", "o"), ("", 1, "stop")),
        ("xabcd", ("c", "bc"), ("xa", 4, "stop")),
        ("xabcd", ("bc", "c"), ("xa", 4, "stop")),
        ("xabcd", ("1", "2", "3", "4", "d"), ("xabc", 5, "stop")),
        ("xabcd", ("", "b"), ("xa", 3, "stop")),
        ("xabcd", ("Z",), ("xabcd", 6, "eos")),
        ("xabcd", (), ("xabcd", 6, "eos")),
    ],
)
def test_an_answer_ends_before_the_earliest_of_all_its_stop_strings(
    tokenizer: HFTokenizer, end: End, text: str, stop: tuple[str, ...], expected: Ended
) -> None:
    given = [*tokenizer.encode(text), END]
    assert end(tokenizer, given, stop, 20) == expected


@pytest.mark.parametrize("end", [_token_by_token, _all_at_once])
def test_the_limit_is_no_end_of_text_and_the_end_of_text_no_limit(tokenizer: HFTokenizer, end: End) -> None:
    given = [*tokenizer.encode("xabcd"), END]
    assert end(tokenizer, given, ("Z",), 5) == ("xabcd", 5, "length")
    assert end(tokenizer, given, ("Z",), 6) == ("xabcd", 6, "eos")
    assert end(tokenizer, given, ("d",), 5) == ("xabc", 5, "stop")
    assert end(tokenizer, tokenizer.encode("abé")[:3], (), 3) == ("ab", 3, "length")


def test_where_an_engine_does_not_say_why_an_answer_ended_nothing_is_made_up(tokenizer: HFTokenizer) -> None:
    given = tokenizer.encode("xabcd")
    assert generated(given, None, (), tokenizer).finish is None
    assert generated(given, None, ("c",), tokenizer).finish == "stop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("way", [{}, {"share": "off"}], ids=str)
def test_all_stop_strings_end_an_engines_answers(folder: Path, way: dict[str, str]) -> None:
    (base,) = load(str(folder), way).complete([[request("q", [0, 40, 41, 42], new=12)]])
    assert base.finish_reason == "length"
    late, early = base.text[4:6], base.text[3:6]
    stops = ("never seen", "nor this", "nor that", late, early)
    (stopped,) = load(str(folder), way).complete([[request("q", [0, 40, 41, 42], new=12, stop=stops)]])
    assert (stopped.text, stopped.finish_reason) == (base.text[: base.text.find(early)], "stop")
    assert stopped.token_ids == base.token_ids[: len(stopped.token_ids)]


def _is_rounded(value: float, dtype: str) -> bool:
    import torch

    return float(torch.tensor(value, dtype=getattr(torch, dtype))) == value


@pytest.mark.parametrize("way", [{}, {"share": "off"}], ids=str)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_log_likelihoods_are_summed_in_float32_whatever_the_models_type(
    folder: Path, way: dict[str, str], dtype: str
) -> None:
    engine = load(str(folder), {"dtype": dtype, **way})
    found = engine.complete([document_requests(1, 60, 16)])
    single = [option.logprob for c in found for option in c.options if option.tokens == 1]
    assert len(single) == 16
    # A difference taken in half the bits is always one of its few numbers.
    assert sum(_is_rounded(value, dtype) for value in single) < 4
    losses = engine.rolling_loss([0, *ids(np.random.default_rng(3), 60)])
    assert sum(_is_rounded(value, dtype) for value in losses.tolist()) < 12


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_half_types_log_likelihoods_are_those_of_its_logits_in_float32(folder: Path, dtype: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    prompt, option = [0, 9, 8, 7], 30
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    with torch.inference_mode():
        expected = float(model(torch.tensor([prompt])).logits[0, -1].float().log_softmax(-1)[option])
    engine = load(str(folder), {"dtype": dtype, "share": "off"})
    (found,) = engine.complete([[request("q", prompt, options=[[option]])]])
    assert found.options[0].logprob == pytest.approx(expected, abs=1e-5)
