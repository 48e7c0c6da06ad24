from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hf_models import (
    TOLERANCE,
    VOCABULARY,
    answers,
    assert_equal,
    differences,
    document_requests,
    ids,
    plant,
    request,
    save_model,
)

from evalsuite.engines.hf import HFEngine, load
from evalsuite.types import Completion, Request
from evalsuite.work import Loss

LOCAL = [[["global", "local"], 1]]
"""GPT-Neo: one layer of each kind; its window is wider than the probe when loading."""
BART = {
    "d_model": 48,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "init_std": 0.08,
    **{f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in (("layers", 2), ("ffn_dim", 96))},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def groups() -> list[list[Request]]:
    head = ids(np.random.default_rng(9), 80)
    shots = [*document_requests(1, 150, 6), *document_requests(1, 150, 6, name="1-shot/", head=head)]
    short = [request("short", [0, 5, 6, 7]), request("lone", [0, *ids(np.random.default_rng(8), 60)])]
    return [shots, document_requests(2, 90, 5, name="1-shot/", head=head), short]


@pytest.fixture(scope="module")
def reference(folder: Path, groups: list[list[Request]]) -> list[Completion]:
    """Every request by itself, one row at a time, through the library's own interface."""
    engine = load(str(folder), {"share": "off", "batch_tokens": "1"})
    return list(engine.complete(groups))


def _engine(folder: Path, **options: str) -> HFEngine:
    engine = load(str(folder), options)
    assert not engine.info.notes
    return engine


@pytest.mark.parametrize(
    "options",
    [{}, {"attn": "eager"}, {"batch_tokens": "16"}, {"batch_tokens": "70"}, {"share": "off"}],
    ids=lambda options: ",".join(f"{k}={v}" for k, v in options.items()) or "packed",
)
def test_answers_are_those_of_one_request_at_a_time(
    folder: Path, groups: list[list[Request]], reference: list[Completion], options: dict[str, str]
) -> None:
    engine = _engine(folder, **options)
    assert_equal(list(engine.complete(groups)), reference)
    packed = options.get("share") != "off"
    assert (engine.counters.packed > 0) is packed


def test_where_attention_cannot_be_split_wide_masks_serve(
    folder: Path, groups: list[list[Request]], reference: list[Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _engine(folder)._packer.network.cascades
    # Without the split kernel the probe's first try comes out wrong, and is seen to.
    monkeypatch.setattr("evalsuite.engines.hf.opening.use_cascade", lambda _: None)
    engine = _engine(folder)
    assert not engine._packer.network.cascades
    assert_equal(list(engine.complete(groups)), reference)


def test_answers_do_not_depend_on_the_order_of_groups_or_requests(
    folder: Path, groups: list[list[Request]], reference: list[Completion]
) -> None:
    turned = [list(reversed(group)) for group in reversed(groups)]
    assert_equal(list(_engine(folder).complete(turned)), reference)


@pytest.mark.parametrize(
    ("kind", "changes", "packs"),
    [
        ("GPT2", {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 512}, True),
        ("Qwen2", {}, True),
        ("Cohere", {"logit_scale": 0.25}, True),
        ("Mistral", {"sliding_window": 16}, False),
        ("Llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}, False),
        ("Bloom", {"n_layer": 2, "n_head": 4}, False),
        ("GPTNeo", {"num_layers": 2, "num_heads": 4, "attention_types": LOCAL, "window_size": 24}, False),
        ("Bart", {**BART, "is_encoder_decoder": False, "is_decoder": True}, False),
    ],
)
def test_other_architectures_pack_or_say_why_not(
    tmp_path: Path, kind: str, changes: dict[str, Any], *, packs: bool
) -> None:
    save_model(tmp_path, kind, **changes)
    small = [document_requests(1, 60, 4), [request("short", [0, 5, 6, 7])]]
    engine = load(str(tmp_path), {})
    expected = list(load(str(tmp_path), {"share": "off", "batch_tokens": "1"}).complete(small))
    assert_equal(list(engine.complete(small)), expected)
    assert (engine.counters.packed > 0) is packs
    assert len(engine.info.notes) == (0 if packs else 1)


@pytest.mark.parametrize("kind", ["T5", "Bart"])
def test_an_encoder_decoder_answers_from_its_encoder_whatever_the_batch(tmp_path: Path, kind: str) -> None:
    t5 = {"d_model": 48, "d_kv": 12, "d_ff": 96, "num_layers": 2, "num_heads": 4, "pad_token_id": 0}
    save_model(tmp_path, kind, decoder_start_token_id=0, **(t5 if kind == "T5" else BART))
    requests = [document_requests(1, 30, 4)]
    batched, single = (load(str(tmp_path), {"batch_tokens": n}) for n in ("4096", "1"))
    assert_equal(list(batched.complete(requests)), list(single.complete(requests)))
    assert "encoder-decoder" in batched.info.notes[0]


def test_a_soft_cap_of_attention_is_kept_by_the_kernel_that_knows_it(tmp_path: Path) -> None:
    save_model(tmp_path, "Gemma2", head_dim=12, attn_logit_softcapping=0.5, query_pre_attn_scalar=12)
    small = [document_requests(1, 60, 4)]
    found, eager, other = (load(str(tmp_path), extra) for extra in ({}, {"attn": "eager"}, {"attn": "sdpa"}))
    assert "soft cap" in found.info.notes[-1]
    expected = list(eager.complete(small))
    assert_equal(list(found.complete(small)), expected)
    assert max(differences(list(other.complete(small)), expected)) > TOLERANCE


def test_sizes_that_differ_by_layer_are_read(tmp_path: Path) -> None:
    small = {"hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": VOCABULARY, "num_kv_shared_layers": 0}
    save_model(tmp_path, "Gemma4Text", head_dim=12, global_head_dim=24, **small)
    requests = [document_requests(1, 40, 3)]
    engine = load(str(tmp_path), {})
    assert_equal(list(engine.complete(requests)), list(load(str(tmp_path), {"share": "off"}).complete(requests)))


def test_greedy_ids_are_those_of_the_librarys_generate(folder: Path, groups: list[list[Request]]) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    found = {c.key: c for c in _engine(folder).complete(groups)}
    for asked in (r for r in groups[1] if not r.options):
        prompt = torch.tensor([asked.prompt])
        out = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=12, do_sample=False, pad_token_id=0
        )
        assert list(found[asked.key].token_ids) == out[0, len(asked.prompt) :].tolist()


def test_an_options_log_likelihood_is_the_sum_over_its_tokens(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    prompt, option = [0, 9, 8, 7], [30, 31, 32]
    with torch.inference_mode():
        table = model(torch.tensor([[*prompt, *option]])).logits[0].log_softmax(-1)
    expected = sum(float(table[len(prompt) - 1 + at, id_]) for at, id_ in enumerate(option))
    (completion,) = _engine(folder).complete([[request("q", prompt, options=[option, [5]])]])
    assert completion.options[0].logprob == pytest.approx(expected, abs=TOLERANCE)
    assert [o.tokens for o in completion.options] == [3, 1]


@pytest.mark.parametrize("fault", ["mask", "positions", "crop", "stale prefix"])
def test_a_broken_mask_position_or_cache_shows_in_the_comparison(
    folder: Path, groups: list[list[Request]], reference: list[Completion], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _engine(folder)
    plant(fault, engine, monkeypatch)
    found = list(engine.complete(groups))
    assert answers(found) != answers(reference)
    assert max(differences(found, reference)) > TOLERANCE


def test_a_stop_string_an_end_token_and_the_limit_end_an_answer(folder: Path) -> None:
    base = next(iter(_engine(folder).complete([[request("q", [0, 40, 41, 42], new=12)]])))
    assert base.finish_reason == "length"
    assert len(base.token_ids) == 12
    stop = base.text[3:5]
    for options in ({}, {"share": "off"}):
        engine = _engine(folder, **options)
        (stopped,) = engine.complete([[request("q", [0, 40, 41, 42], stop=("never seen", stop))]])
        assert stopped.text == base.text[: base.text.find(stop)]
        assert stopped.finish_reason == "stop"
        assert len(stopped.token_ids) < 12
        assert next(iter(engine.complete([[request("q", [0, 40], new=0)]]))).text == ""


def test_an_end_token_of_the_generation_config_ends_an_answer(tmp_path: Path) -> None:
    import json

    save_model(tmp_path)
    (base,) = load(str(tmp_path), {}).complete([[request("q", [0, 40, 41, 42])]])
    end = base.token_ids[4]
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, end]}))
    for options in ({}, {"share": "off"}):
        (ended,) = load(str(tmp_path), options).complete([[request("q", [0, 40, 41, 42])]])
        assert ended.finish_reason == "eos"
        assert ended.token_ids == base.token_ids[: base.token_ids.index(end) + 1]


def test_a_documents_tokens_are_computed_once_and_counted_so(folder: Path) -> None:
    engine = _engine(folder)
    requests = [r for r in document_requests(5, 300, 12) if not r.options]
    found = list(engine.complete([requests]))
    prompts = sum(len(r.prompt) for r in requests)
    assert engine.counters.prompt_tokens == prompts - sum(c.cached_tokens or 0 for c in found)
    assert engine.counters.prompt_tokens < 1.3 * 301
    assert engine.counters.kv_tokens < 301 + 6 * (12 + 12)
    assert engine.counters.kv_bytes == engine.counters.kv_tokens * 2 * 2 * 2 * 12 * 4


def test_equal_requests_are_computed_once_and_answered_each(folder: Path) -> None:
    engine = _engine(folder)
    once = request("q", [0, 40, 41, 42])
    found = list(engine.complete([[once, once, request("other", [0, 40, 41])]]))
    assert [c.key for c in found].count("q") == 2
    assert engine.counters.packed + engine.counters.plain == 2


def test_groups_are_pulled_lazily_and_closing_stops(folder: Path) -> None:
    pulled = []

    def groups() -> Iterator[list[Request]]:
        for number in range(4):
            pulled.append(number)
            yield document_requests(number, 80, 4)

    engine = _engine(folder)
    stream = engine.complete(groups())
    next(stream)
    stream.close()
    assert len(pulled) < 3
    assert len(list(engine.complete([document_requests(1, 80, 4)]))) == 4


def test_a_prompt_longer_than_the_model_fails_alone(folder: Path) -> None:
    engine = load(str(folder), {}, max_model_len=50)
    assert (engine.info.max_model_len, engine.info.max_model_len_source) == (50, "option")
    found = {c.key: c for c in engine.complete([[request("long", [5] * 45), request("fits", [5] * 38)]])}
    assert "57 tokens, the model takes 50" in str(found["long"].error)
    assert found["fits"].error is None


def test_the_loss_of_every_position_is_kept_whatever_the_chunks(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    text = [0, *ids(np.random.default_rng(3), 400)]
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        logits = model(torch.tensor([text])).logits[0, :-1]
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor(text[1:]), reduction="none").numpy()
    for tokens in ("4096", "64"):
        losses = _engine(folder, batch_tokens=tokens).rolling_loss(text)
        assert losses.shape == (400,)
        assert np.abs(losses - expected).max() < TOLERANCE


def test_a_loss_is_asked_like_any_other_work(folder: Path) -> None:
    text = (0, *ids(np.random.default_rng(3), 40))
    engine = _engine(folder)
    asked = [request("g", text), replace(request("l", text), work=Loss())]
    found = {completion.key: completion for completion in engine.complete([asked])}
    assert found["l"].losses == tuple(engine.rolling_loss(text).tolist())
    assert found["l"].prompt_tokens == len(text)
    assert (found["g"].losses, bool(found["g"].token_ids)) == ((), True)


def test_a_text_longer_than_the_model_is_read_in_windows(folder: Path) -> None:
    engine = load(str(folder), {}, max_model_len=100)
    text = [0, *ids(np.random.default_rng(3), 250)]
    losses = engine.rolling_loss(text)
    assert losses.shape == (250,)
    assert np.abs(losses[100:200] - engine.rolling_loss(text[100:201])).max() < TOLERANCE


def _hungry(most: int) -> Any:
    """A forward pass that fails above some size, as a full device does."""
    import torch

    from evalsuite.engines.hf.compute.network import Network

    whole = Network.forward

    def forward(self: Network, given: Any, *rest: Any, **more: Any) -> Any:
        if len(given) > most:
            raise torch.OutOfMemoryError("planted: out of memory")
        return whole(self, given, *rest, **more)

    return forward


@pytest.mark.parametrize("most", [200, 40, 17])
def test_running_out_of_memory_halves_the_batch_and_loses_no_sample(
    folder: Path, groups: list[list[Request]], reference: list[Completion], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalsuite.engines.hf.compute.network import Network

    engine = _engine(folder)
    monkeypatch.setattr(Network, "forward", _hungry(most))
    assert_equal(list(engine.complete(groups)), reference)
    assert engine.counters.out_of_memory > 0
    assert engine.budget.chunk <= most


def test_a_request_too_large_for_the_device_fails_and_the_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalsuite.engines.hf.compute.network import Network

    engine = _engine(folder)
    before, whole = engine.budget, Network.forward

    def forward(self: Network, given: Any, cache: Any, **more: Any) -> Any:
        if cache is not None and cache.length > 300:
            raise MemoryError
        return whole(self, given, cache, **more)

    monkeypatch.setattr(Network, "forward", forward)
    found = list(engine.complete([document_requests(1, 400, 2, name="large"), document_requests(2, 100, 4)]))
    assert [bool(c.error) for c in sorted(found, key=lambda c: c.key)] == [False] * 4 + [True] * 2
    assert len(found) == 6
    assert engine.budget == before, "one that cannot fit must not make the others slow"


def test_prefill_keeps_to_the_budget_of_masks_where_attention_cannot_be_split(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalsuite.engines.hf.compute.network import Network

    engine = _engine(folder, attn="eager")
    engine.budget = replace(engine.budget, mask_bytes=5 * 400 * 50)
    sizes, whole = [], Network.forward

    def forward(self: Network, given: Any, cache: Any, **more: Any) -> Any:
        sizes.append(len(given) * (cache.length + len(given)))
        return whole(self, given, cache, **more)

    monkeypatch.setattr(Network, "forward", forward)
    list(engine.complete([document_requests(1, 390, 2)]))
    assert 5 * max(sizes) <= 2 * engine.budget.mask_bytes


def test_bfloat16_stays_within_its_rounding(
    folder: Path, groups: list[list[Request]], reference: list[Completion]
) -> None:
    packed = list(_engine(folder, dtype="bfloat16").complete(groups))
    apart = list(_engine(folder, dtype="bfloat16", share="off").complete(groups))
    assert max(differences(packed, apart)) < 0.5
    assert {c.key for c in packed} == {c.key for c in reference}


def test_a_model_that_ignores_masks_is_found_out_when_loading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalsuite.engines.hf.compute.network import Network

    def all_seen(_: Network, mask: Any, *__: Any) -> Any:
        return mask.new_zeros((1, 1, *mask.shape), dtype=float)

    monkeypatch.setattr(Network, "_additive", all_seen)
    monkeypatch.setattr(Network, "_mask", all_seen)
    engine = load(str(folder), {})
    assert "differ on a probe" in engine.info.notes[0]


def test_the_least_budget_is_reached_by_halving(folder: Path) -> None:
    budget = replace(_engine(folder).budget, chunk=100, pack=40)
    for _ in range(4):
        budget = budget.halved()
    assert budget.is_least
