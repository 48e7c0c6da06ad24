"""Demonstrations: one draw, never the sample's own document, fewer shots the beginning of more."""

from __future__ import annotations

from itertools import product

import pytest
from made import sample

from evalsuite.errors import UsageError
from evalsuite.prompts.shots import POOL_DOCUMENTS, Shots, demonstration_parts, demonstration_pool, draw
from evalsuite.qa import paper_protocol
from evalsuite.types import Role, Sample, ScoredAnswer

POOL = tuple(sample("text", name=f"p{d}-{q}", document=f"d{d}") for d, q in product(range(12), range(3)))
OUTSIDERS = tuple(sample("text", name=f"out{i}", document=f"elsewhere{i}") for i in range(40))
PROTOCOL = paper_protocol(score=lambda *_: ScoredAnswer({}, ""), max_new_tokens=5)


def _ids(shots: Shots, asked: Sample, pool: tuple[Sample, ...] = POOL) -> tuple[str, ...]:
    return tuple(shown.id for shown in draw(shots, "task", pool, asked))


def test_every_sample_of_a_task_sees_the_same_draw() -> None:
    assert len({_ids(Shots(2, 0), asked) for asked in OUTSIDERS}) == 1


def test_one_shot_is_the_first_of_two_and_two_of_five() -> None:
    for asked in (*OUTSIDERS[:3], *POOL):
        five = _ids(Shots(5, 7), asked)
        assert [_ids(Shots(n, 7), asked) for n in (0, 1, 2)] == [(), five[:1], five[:2]]


def test_an_own_document_gives_way_to_the_next_in_the_draw() -> None:
    whole_order = _ids(Shots(4, 0), OUTSIDERS[0])
    own = next(s for s in POOL if s.id == whole_order[1])
    shown = draw(Shots(3, 0), "task", POOL, own)
    assert [s.id for s in shown] == [whole_order[0], *whole_order[2:4]]


def test_no_sample_is_shown_its_own_document_nor_one_document_twice() -> None:
    for asked, seed in product(POOL, range(5)):
        documents = [shown.document.id for shown in draw(Shots(3, seed), "task", POOL, asked)]
        assert asked.document.id not in documents
        assert len(set(documents)) == 3


def test_seeds_and_tasks_draw_differently_and_each_draws_the_same_again() -> None:
    by_seed = {_ids(Shots(3, seed), OUTSIDERS[0]) for seed in range(8)}
    assert len(by_seed) > 5
    assert _ids(Shots(3, 1), OUTSIDERS[0]) == _ids(Shots(3, 1), OUTSIDERS[0])
    other_task = tuple(s.id for s in draw(Shots(3, 0), "other", POOL, OUTSIDERS[0]))
    assert other_task != _ids(Shots(3, 0), OUTSIDERS[0])


def test_the_draw_does_not_depend_on_the_process() -> None:
    assert _ids(Shots(2, 0), OUTSIDERS[0]) == ("p9-2", "p10-2")


def test_a_draw_a_sample_differs_between_samples_and_is_repeatable() -> None:
    drawn = [_ids(Shots(2, 0, draw="sample"), asked) for asked in OUTSIDERS]
    assert len(set(drawn)) > 20
    assert drawn == [_ids(Shots(2, 0, draw="sample"), asked) for asked in OUTSIDERS]


def test_too_few_documents_are_refused_naming_task_sample_and_both_numbers() -> None:
    with pytest.raises(UsageError, match=r"task task: 3 demonstrations .* sample p0-0, but only 2 other documents"):
        draw(Shots(3, 0), "task", POOL[:9], POOL[0])


def test_a_pool_holds_no_empty_text_and_no_unanswered_question_and_ends() -> None:
    empty = sample("", name="empty", document="e")
    unanswered = Sample("unanswered", POOL[0].document, "?", ())
    many = (sample("t", name=str(i), document=f"many{i}") for i in range(10 * POOL_DOCUMENTS))
    pool = demonstration_pool((empty, unanswered, *many))
    assert {"empty", "unanswered"}.isdisjoint(s.id for s in pool)
    assert len({s.document.id for s in pool}) == POOL_DOCUMENTS - 2


def test_demonstrations_are_whole_documents_or_a_placeholder_with_question_and_answer() -> None:
    shown = (sample("A whole tale.", name="a", document="a"), sample("Another.", name="b", document="b"))
    whole = demonstration_parts(PROTOCOL, shown, Shots(2, 0))
    text = "".join(part.text for part in whole)
    assert text == (
        "A whole tale. Q:  Q: Who asked the king?, A: nobody\n\nAnother. Q:  Q: Who asked the king?, A: nobody\n\n"
    )
    assert {part.role for part in whole} == {Role.DEMONSTRATION}
    hidden = "".join(part.text for part in demonstration_parts(PROTOCOL, shown, Shots(2, 0, documents="placeholder")))
    assert hidden == text.replace("A whole tale.", "...").replace("Another.", "...")


def test_a_protocol_without_demonstrations_refuses_them() -> None:
    from dataclasses import replace

    with pytest.raises(UsageError, match="without demonstrations; use --shots 0"):
        demonstration_parts(replace(PROTOCOL, demonstrate=None), POOL[:1], Shots(1, 0))
