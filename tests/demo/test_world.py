"""The miniature world, read back by the real readers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest

from evalsuite.demo import vocabulary as words
from evalsuite.demo.formats import write_world
from evalsuite.demo.tokenizer import BOS, build_tokenizer, count_tokens
from evalsuite.demo.world import SPLITS, TASKS, Fact, Shape, context, draw_facts, make_document, split_of
from evalsuite.plugins import find_tasks
from evalsuite.sources import open_source
from evalsuite.task import Selection
from evalsuite.types import Parts, Sample

LENGTHS = (512, 2048)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    write_world(root, lengths=LENGTHS, documents=3, questions=5, seed=7)
    return root


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - reproducible, not secret


def text(parts: Parts) -> str:
    return "".join(part.text for part in parts)


def read(root: Path, task: str, split: str = "validation") -> list[Sample]:
    found = find_tasks()[task]
    return list(found.samples(Selection(open_source(found.dataset, root, split=split), split)))


def everything(root: Path) -> Iterator[tuple[str, str, list[Sample]]]:
    for task in TASKS:
        for split in SPLITS:
            yield task, split, read(root / "length-512", task, split)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def facts_in(text: str) -> set[tuple[str, str]]:
    spoken = text.replace(".", " ").split()
    return {(key, name) for key, name in pairwise(spoken) if key in words.KEYS}


def test_the_real_readers_find_every_document_and_question(root: Path) -> None:
    for task, split, samples in everything(root):
        assert len(samples) == 15, (task, split)
        assert len({sample.document.id for sample in samples}) == 3, (task, split)


def test_every_answer_follows_from_its_document(root: Path) -> None:
    for task, _, samples in everything(root):
        for sample in samples:
            said = facts_in(sample.document.text)
            asked = sample.question.rstrip("?").split()[-1]
            if task == "qmsum":
                assert facts_in(sample.references[0]) <= said
            elif sample.references[0] in {words.NO, words.UNANSWERABLE}:
                assert asked not in {key for key, _ in said}
            elif sample.references[0] != words.YES:
                assert (asked, sample.references[0]) in said


def test_evidence_spans_hold_the_facts_asked_for(root: Path) -> None:
    for task in ("qasper", "qmsum"):
        located = [sample for sample in read(root / "length-512", task) if sample.evidence]
        assert located
        for sample in located:
            shown = " ".join(sample.document.text[span.start : span.end] for span in sample.evidence or ())
            wanted = sample.question.rstrip("?").split()[-1]
            assert wanted in {key for key, _ in facts_in(shown)}


def test_multiple_choice_options_are_four_names_with_the_right_one_among_them(root: Path) -> None:
    for sample in read(root / "length-512", "quality"):
        assert len(set(sample.choices)) == 4
        assert set(sample.choices) <= set(words.NAMES)
    assert {sample.gold for sample in read(root / "length-512", "quality")} == {0, 1, 2, 3}


def test_no_fact_is_shared_between_splits(root: Path) -> None:
    stated: dict[str, set[tuple[str, str]]] = {split: set() for split in SPLITS}
    for _, split, samples in everything(root):
        for sample in samples:
            stated[split] |= facts_in(sample.document.text)
    assert all(stated.values())
    assert not any(stated[one] & stated[other] for one, other in combinations(SPLITS, 2))


def test_the_facts_drawn_belong_to_their_split() -> None:
    for split in SPLITS:
        drawn = draw_facts(seeded(1), split, 120)
        assert len(drawn) == 120
        assert {split_of(fact) for fact in drawn} == {split}
        assert len({fact.key for fact in drawn}) == len({fact.value for fact in drawn}) == 120


@pytest.mark.parametrize("length", LENGTHS)
def test_a_request_fits_its_length_with_placeholder_demonstrations_and_nearly_fills_it(root: Path, length: int) -> None:
    tokenizer, tasks = build_tokenizer(), find_tasks()
    for task in TASKS:
        protocol = tasks[task].protocol(None)
        demonstrate = protocol.demonstrate
        assert demonstrate
        shots = max((text(demonstrate(sample)[1:]) for sample in read(root / f"length-{length}", task)), key=len)
        for sample in read(root / f"length-{length}", task):
            alone = len(tokenizer.encode(text(protocol.prompt(sample))).ids) + 32
            shown = len(tokenizer.encode(2 * f"...{shots}" + text(protocol.prompt(sample))).ids) + 32
            assert length - 144 < alone < shown <= length, task


def test_one_seed_is_one_world(root: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "same", lengths=LENGTHS, documents=3, questions=5, seed=7)
    write_world(tmp_path / "other", lengths=LENGTHS, documents=3, questions=5, seed=8)
    assert files(tmp_path / "same") == files(root)
    texts = [
        {sample.document.text for sample in read(one / "length-512", "qmsum")} for one in (root, tmp_path / "other")
    ]
    assert texts[0].isdisjoint(texts[1])


@pytest.mark.parametrize(("position", "half"), [(0.0, 0), (1.0, 1)])
def test_facts_lie_where_they_are_told_to(position: float, half: int) -> None:
    document = make_document(seeded(3), "narrativeqa", "test", Shape(600, 6, position))
    middle = len(document.sentences) / 2
    at = [index for index, sentence in enumerate(document.sentences) if sentence.fact]
    assert len(at) == 6
    assert {index > middle for index in at} == {bool(half)}


@pytest.mark.parametrize("task", TASKS)
def test_another_tokenizer_may_count(task: str) -> None:
    document = make_document(seeded(3), task, "test", Shape(2000, 6), len)
    assert 1800 < len(context(document)) <= 2000


def test_every_word_of_the_world_is_one_token() -> None:
    tokenizer = build_tokenizer()
    assert tokenizer.get_vocab_size() < 1024
    for task in TASKS:
        text = context(make_document(seeded(5), task, "train", Shape(3000, 90)))
        assert len(tokenizer.encode(text, add_special_tokens=False).ids) == count_tokens(text)
    for fact in draw_facts(seeded(2), "test", 150):
        assert len(tokenizer.encode(f" {fact}", add_special_tokens=False).ids) == 3


@pytest.mark.parametrize("text", ["naïve 東京 🦜", "tabs\tand\r\nlines\n\n", "don't the baker's 12,345", ""])
def test_any_text_survives_the_tokenizer(text: str) -> None:
    tokenizer = build_tokenizer()
    encoded = tokenizer.encode(text)
    assert encoded.tokens[0] == BOS
    assert BOS not in encoded.tokens[1:]
    assert tokenizer.decode(encoded.ids) == text


def test_a_fact_reads_as_a_noun_with_its_name() -> None:
    assert str(Fact("baker", "Mirona")) == "the baker Mirona"
