from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data import choice_question
from benchmarks.page import page
from benchmarks.rows import Deadline, Pair, Row, from_pairs, machine, sides, write_json
from benchmarks.runs import Outcome, same_outcome
from benchmarks.vllm_page import page as vllm_page
from benchmarks.wall import take_pairs

PAIRS = (Pair(90.0, 1.0, 0.5, "peer"), Pair(10.0, 2.0, 0.5, "ours"), Pair(12.0, 3.0, 0.5, "peer"))


def test_the_first_pair_warms_up_and_is_published_but_not_counted(tmp_path: Path) -> None:
    peer, ours = from_pairs(PAIRS)
    assert (peer, ours) == (11.0, 2.5)
    row = Row("ll_wall", "what", peer, ours, "s", "goal", equal=False, pairs=PAIRS, peer_config="batch 1")
    write_json(tmp_path / "b.json", [row], {"machine": machine(), "quick": True, "notes": ["said so"]})
    content = json.loads((tmp_path / "b.json").read_text())
    (found,) = content["rows"]
    assert found["ratio"] == pytest.approx(4.4)
    assert {"name", "peer", "ours", "ratio", "limit_ratio", "unit", "equal", "pairs", "peer_config"} <= set(found)
    text = page(content)
    assert "| 1 (warm-up, not counted) | peer | 90.00 | 1.00 | 90.00 | 0.5 |" in text
    assert "| ll_wall | 11.00 | 2.50 | s | 4.40 |  | **no** | goal |" in text
    assert "said so" in text
    assert "-- --quick" in text


def test_sides_take_turns_and_time_runs_out() -> None:
    assert [tuple(sides(number)) for number in range(2)] == [("peer", "ours"), ("ours", "peer")]
    calls: list[str] = []
    pairs = take_pairs(lambda: calls.append("peer"), lambda: calls.append("ours"), 3, Deadline(60))
    assert calls == ["peer", "ours", "ours", "peer", "peer", "ours"]
    assert [pair.first for pair in pairs] == ["peer", "ours", "peer"]
    assert len(take_pairs(lambda: None, lambda: None, 3, Deadline(-1))) == 1


def test_a_question_is_split_from_its_options() -> None:
    question = choice_question("Why (A) not?\n\n (A) Because. \n (B) It (C) was\n late.\n (C) c \n (D) d", "(B) ...")
    assert question.text == "Why (A) not?"
    assert question.options == ("Because.", "It (C) was\n late.", "c", "d")


@pytest.mark.parametrize(
    ("figures", "shown", "page_of"),
    [("published.json", "benchmarks.md", page), ("published_vllm.json", "benchmarks_vllm.md", vllm_page)],
)
def test_the_published_page_says_what_was_measured(
    figures: str, shown: str, page_of: Callable[[dict[str, Any]], str]
) -> None:
    root = Path(__file__).resolve().parents[2]
    content = json.loads((root / "benchmarks" / figures).read_text(encoding="utf-8"))
    assert (root / "docs" / shown).read_text(encoding="utf-8") == page_of(content)
    assert all(row["equal"] is not False for row in content["rows"])


def test_whole_runs_are_equal_only_where_every_answer_and_the_score_are() -> None:
    ours = Outcome(50.0, {"a": "one", "b": "two"})
    assert same_outcome(ours, Outcome(50.0, {"b": "two", "a": "one\ufffd"}))
    assert not same_outcome(ours, Outcome(50.0, {"a": "one", "b": "other"}))
    assert not same_outcome(ours, Outcome(50.0, {"a": "one"}))
    assert not same_outcome(ours, Outcome(25.0, {"a": "one", "b": "two"}))
