"""The fidelity page is what the golden cases say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from evalsuite.cli.main import main
from evalsuite.fidelity.page import Fact, facts, from_tasks, page, taken_to_agree
from evalsuite.fidelity.report import Tally
from evalsuite.metrics.deviations import DEVIATIONS
from evalsuite.plugins import find_benchmarks, find_tasks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
MY_TASKS = PAGE.parent.parent / "tests" / "example_plugin" / "my_tasks"
ANEW = "write it anew: python -m evalsuite.fidelity.page GOLDEN > docs/fidelity.md"


def test_the_committed_page_is_the_generated_one(golden: Path) -> None:
    """Scores are computed here; that all prompts agree is what `evalsuite fidelity check` found."""
    prompts = sorted(golden.glob("prompts_[lz]*.jsonl.gz"))
    scores = sorted(file for file in golden.glob("*.jsonl*") if not file.name.startswith("prompts"))
    found = (*facts(scores), *taken_to_agree(prompts))
    assert len(prompts) == 2
    assert PAGE.read_text(encoding="utf-8") == page(found), ANEW


def test_the_committed_page_names_every_deviation_of_a_score() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [one.situation for one in DEVIATIONS if f"| {one.situation} |" not in text], ANEW


def test_what_the_task_folders_say_is_printed_and_is_on_the_site(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fidelity", "tasks"]) == 0
    text = capsys.readouterr().out
    told = [one.situation for benchmark in find_benchmarks().values() for one in benchmark.deviations]
    assert len(told) >= 8
    assert not [situation for situation in told if f"| {situation} |" not in text]
    assert not [name for name in find_tasks() if f"`{name}` " not in text]
    fidelity, other = [PAGE.read_text(encoding="utf-8")], ["other"]
    site = runpy.run_path(str(PAGE.parent / "conf.py"))
    site["_add_tasks"](None, "fidelity", fidelity)
    site["_add_tasks"](None, "engines", other)
    assert (fidelity[0].endswith(text), other) == (True, ["other"])


def test_a_task_of_one_s_own_is_among_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fidelity", "tasks", "--include-path", str(MY_TASKS)]) == 0
    assert "| my-tasks | `letters` 1 | f1 by a rule of its own | ours |" in capsys.readouterr().out


def test_a_case_that_does_not_agree_is_seen_on_the_page() -> None:
    found = [Fact("leval.f1", ("a:b@1",), Tally(3, 4, 1))]
    assert "| `leval.f1` | `a:b@1` | 3 of 4 (1 where it raises) |" in page(found)


def test_a_task_is_listed_with_the_official_function_it_is_scored_by() -> None:
    rows = [line.split(" | ") for line in from_tasks().splitlines() if line.count(" | ") == 3]
    scored = {name: scored for _, tasks, scored, _ in rows for name in tasks.split("`")[1::2]}
    assert scored["leval_tpo"] == scored["leval_codeU"] == "`leval.exam`"
    assert scored["leval_news_summ"] == "`leval.rouge`"
    assert scored["qasper"] == "`qasper.token_f1`"
    assert scored["narrativeqa"] == "`scrolls.f1`"
    assert scored["qmsum"] == "`scrolls.rouge`"
    assert scored["quality"] == "accuracy by a rule of its own, `scrolls.exact_match`"
