"""LongBench's NarrativeQA: the official template, its own F1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zero

from evalsuite.plugins import find_tasks
from evalsuite.types import Completion

TASK = find_tasks()["longbench_narrativeqa"]


def test_the_prompt_is_the_official_template_and_stories_are_shared(tmp_path: Path) -> None:
    (tmp_path / "longbench").mkdir()
    rows = [{"_id": str(n), "context": text, "input": "Who?", "answers": ["Ann"]} for n, text in enumerate("xyx")]
    (tmp_path / "longbench" / "narrativeqa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    samples = list(zero.plan(tmp_path, TASK.name).tasks[0].reading.samples())
    assert [sample.id for sample in samples] == ["0", "2", "1"]
    text = "".join(part.text for part in TASK.protocols[0].prompt(samples[0]))
    brief = "asconcisely as you can, using a single phrase if possible. Do not provide any explanation."
    assert text == (
        "You are given a story, which can be either a novel or a movie script, and a question. Answer the question "
        f"{brief}\n\nStory: x\n\nNow, answer the question based on the story {brief}\n\nQuestion: Who?\n\nAnswer:"
    )
    assert TASK.protocols[0].score(samples[0], Completion("k", "Ann Bob")).values == pytest.approx(
        {"qa_f1_score": 200 / 3}
    )


def test_the_rows_at_hand_run(real_data: Path, tmp_path: Path) -> None:
    asked = zero.plan(real_data, TASK.name, max_prompt_tokens=(4096,), limit_documents={"*": 2})
    cell = zero.run(asked, tmp_path / "out", zero.engine())[TASK.name]
    assert (cell.documents, cell.complete, cell.cut) == (2, True, cell.asked)
