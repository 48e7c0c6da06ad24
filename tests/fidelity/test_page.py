"""The fidelity page is what the golden cases say."""

from __future__ import annotations

from pathlib import Path

from evalsuite.fidelity.page import Fact, facts, page, run_deviations, taken_to_agree
from evalsuite.fidelity.report import Tally
from evalsuite.metrics.deviations import DEVIATIONS
from evalsuite.plugins import find_tasks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
ANEW = "write it anew: python -m evalsuite.fidelity.page GOLDEN > docs/fidelity.md"


def test_the_committed_page_is_the_generated_one(golden: Path) -> None:
    """Scores are computed here; that all prompts agree is what `evalsuite fidelity check` found."""
    prompts = sorted(golden.glob("prompts_[lz]*.jsonl.gz"))
    scores = sorted(file for file in golden.glob("*.jsonl*") if not file.name.startswith("prompts"))
    found = (*facts(scores), *taken_to_agree(prompts))
    assert len(prompts) == 2
    assert PAGE.read_text(encoding="utf-8") == page(found, find_tasks()), ANEW


def test_the_committed_page_names_every_deviation_and_every_task() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [one.situation for one in (*DEVIATIONS, *run_deviations()) if f"| {one.situation} |" not in text]
    missing += [name for name in find_tasks() if f"`{name}` " not in text]
    assert not missing, ANEW


def test_a_case_that_does_not_agree_is_seen_on_the_page() -> None:
    found = [Fact("leval.f1", ("a:b@1",), Tally(3, 4, 1))]
    assert "| `leval.f1` | `a:b@1` | 3 of 4 (1 where it raises) |" in page(found, {})


def test_a_task_is_listed_with_the_official_function_it_is_scored_by() -> None:
    names = ("leval.exam", "leval.rouge", "qasper.token_f1", "scrolls.rouge", "scrolls.f1", "zero_scrolls.f1")
    text = page([Fact(name, (), Tally(1, 1)) for name in names], find_tasks())
    rows = [line.split(" | ") for line in text.splitlines() if line.count(" | ") == 3]
    scored = {name: scored for _, tasks, scored, _ in rows for name in tasks.split("`")[1::2]}
    assert scored["leval_tpo"] == scored["leval_codeU"] == "`leval.exam`"
    assert scored["leval_news_summ"] == "`leval.rouge`"
    assert scored["qasper"] == "`qasper.token_f1`"
    assert scored["narrativeqa"] == "`scrolls.f1`"
    assert scored["qmsum"] == "`scrolls.rouge`"
    assert scored["quality"] == "accuracy by a rule of its own, `scrolls.exact_match`"
