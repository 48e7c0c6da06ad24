"""The benchmark's counts: goals that no machine's speed can change, and counters that must be true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import data
from benchmarks.counts import Setting, encode_row, generation_rows, option_rows
from benchmarks.data import Book, Question
from benchmarks.models import make_model
from benchmarks.peers import Peer, peer_tokens
from benchmarks.requests import groups
from benchmarks.wall import same_options, same_texts
from evalsuite.engines.hf import HFEngine, load
from evalsuite.engines.hf.compute.counts import count
from evalsuite.engines.hf.prefix.plan import Costs
from evalsuite.tokenizers import load_tokenizer

TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
TEXT = "The miller's daughter walked to the river every morning, and nobody asked her why she went. " * 6


@pytest.fixture(scope="module")
def books() -> list[Book]:
    names = ["the miller", "a stranger", "her own brother", "nobody at all"]
    questions = tuple(Question(f"Who followed her on day {n}?", tuple(names[: 2 + n % 3])) for n in range(5))
    letters = Question("Which?", ("A", "B", "C", "D"))
    return [Book("one", TEXT, (*questions, letters)), Book("two", TEXT[40:] + " So it was.", questions[:3])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("bench"), [TEXT], sizes=TINY, vocabulary=600, dtype="float32")


@pytest.fixture(scope="module")
def engine(folder: Path) -> HFEngine:
    return load(str(folder), {})


@pytest.mark.parametrize("options", [True, False])
def test_counted_tokens_are_those_the_engine_forwards(engine: HFEngine, books: list[Book], *, options: bool) -> None:
    made = list(groups(books, engine.tokenizer, options=options, cutting="uncut"))
    engine.counters.reset()
    list(engine.complete(made))
    planned = count(made, engine.costs, engine.budget.pack)
    assert engine.counters.prompt_tokens == planned.forwarded
    assert engine.counters.kv_tokens <= planned.kv_tokens
    assert planned.distinct <= planned.forwarded <= 1.05 * planned.distinct


def test_the_peers_tokens_are_those_lm_eval_forwards_and_both_sides_agree(
    folder: Path, engine: HFEngine, books: list[Book], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer(str(folder))
    made = list(groups(books, engine.tokenizer, options=True, cutting="uncut"))
    flat = [request for group in made for request in group]
    forwarded = []
    whole = peer.lm._model_call

    def call(inputs: Any, **more: Any) -> Any:
        forwarded.append(inputs.numel())
        return whole(inputs, **more)

    monkeypatch.setattr(peer.lm, "_model_call", call)
    theirs = peer.options(flat)
    assert sum(forwarded) == sum(peer_tokens(group) for group in made)
    ours = {completion.key: completion for completion in engine.complete(made)}
    assert same_options(flat, theirs, ours)
    theirs[0][0] = (theirs[0][0][0] + 1, True)
    assert not same_options(flat, theirs, ours)


def test_both_sides_generate_the_same_texts(folder: Path, engine: HFEngine, books: list[Book]) -> None:
    made = list(groups(books, engine.tokenizer, options=False, cutting="uncut"))
    flat = [request for group in made for request in group]
    theirs = Peer(str(folder)).generate([engine.tokenizer.decode(request.prompt) for request in flat], 32)
    ours = {completion.key: completion.text for completion in engine.complete(made)}
    assert same_texts([ours[request.key] for request in flat], theirs)
    assert not same_texts([ours[request.key] for request in flat], [*theirs[1:], "x"])


@pytest.fixture(scope="module")
def setting(golden: Path) -> Setting:
    tokenizer = load_tokenizer(str(golden / "tokenizers" / "bytelevel"))
    return Setting(tokenizer, Costs(pair=2e-3, floor=64), room=4096, kv_bytes=6 * 2 * 4 * 128)


def test_options_as_text_on_all_of_quality_meet_their_goal(setting: Setting, real_data: Path) -> None:
    uncut = next(iter(option_rows(setting, data.quality(real_data))))
    assert uncut.ratio is not None
    assert uncut.ratio >= 25
    assert (uncut.limit_ratio or 2) <= 1.05


def test_a_cut_of_its_own_for_each_question_leaves_little_to_share(setting: Setting, real_data: Path) -> None:
    _, left, aligned = option_rows(setting, data.quality(real_data)[3:5])
    assert max(left.limit_ratio or 2, aligned.limit_ratio or 2) <= 1.05
    # Each question's own cut leaves only its options to share; one cut a document brings the rest back.
    assert (left.ratio or 0) < 8 < (aligned.ratio or 0)


def test_generation_meets_its_goals_for_tokens_and_memory(setting: Setting, real_data: Path) -> None:
    tokens, kept = generation_rows(setting, [*data.quality(real_data), *data.qmsum(real_data)[:5]])
    assert (tokens.limit_ratio or 2) <= 1.1
    assert (kept.ratio or 0) >= 5


def test_a_document_passes_the_tokenizer_once(setting: Setting, real_data: Path) -> None:
    row = encode_row(setting, data.quality(real_data)[:4])
    assert row.equal
    assert row.ours is not None
    assert row.ours <= 1.1


def test_only_a_few_rows_of_logits_exist_at_once(engine: HFEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalsuite.engines.hf.compute.network import Network

    rows: list[int] = []
    whole = Network.logits

    def logits(self: Network, hidden: Any) -> Any:
        rows.append(len(hidden))
        return whole(self, hidden)

    monkeypatch.setattr(Network, "logits", logits)
    monkeypatch.setattr(Network, "logit_rows", property(lambda _: 7))
    engine.rolling_loss(list(range(1, 100)))
    assert max(rows) == 7
    assert sum(rows) == 98


@pytest.fixture(autouse=True)
def _quiet_peer() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lm-eval's own
        yield
