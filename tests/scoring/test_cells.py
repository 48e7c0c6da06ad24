"""A metric over a subset of samples counts that subset."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.plugins import find_tasks
from evalsuite.scoring.cells import CellScores, cells
from evalsuite.types import Document, Sample, Score, Setting

SETTING = Setting("llama2-long", "quality", "validation", "paper", 0, 0, None, None, "left")


def _sample(name: str, *, difficult: bool) -> Sample:
    return Sample(name, Document(name, "text"), "?", ("A",), attributes={"difficult": difficult})


def test_a_subset_metric_counts_its_own_samples_only() -> None:
    samples = {name: _sample(name, difficult=name in "ab") for name in "abcd"}
    values = {"accuracy": 100.0, "exact_match": 0.0}
    scores = [Score(name, SETTING.key, name, name, "scored", values) for name in "abcd"]
    scores[1] = replace(scores[1], status="unscorable", values={"accuracy": 0.0, "exact_match": 0.0})
    whole = CellScores(SETTING, find_tasks()["quality"], samples, tuple(scores))
    found = {cell.metric: cell for cell in cells(whole, "model")}
    hard = found["accuracy_hard"]
    assert (hard.asked, hard.scored, hard.unscorable, hard.documents, hard.value) == (2, 1, 1, 2, 50.0)
    assert (found["accuracy"].asked, found["accuracy"].value) == (4, 75.0)
