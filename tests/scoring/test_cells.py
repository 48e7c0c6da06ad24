"""What one cell counts: a subset metric its own samples, cuts and capped outputs those of answered samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evalsuite.cells import Cell, Setting
from evalsuite.errors import TaskError
from evalsuite.plugins import find_tasks
from evalsuite.scoring.cells import CellScores, cells
from evalsuite.task import Metric
from evalsuite.types import Document, Sample, Score

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


ROUGE = ("rouge1", "rouge2", "rougeL")
SHOT = replace(SETTING, shots=1)


def _answered(name: str, value: float, **more: Any) -> Score:
    known = {"kept": 1.0, "demonstrations_lost": False, "output_capped": False}
    values = {"accuracy": value, "exact_match": value}
    return Score(name, SHOT.key, name, name, "scored", values, **{**known, **more})


def _rouge(row: tuple[float, ...]) -> dict[str, float]:
    return {**dict(zip(ROUGE, row, strict=True)), "rouge_geo_sample": 0.0}


def _accuracy(*scores: Score, setting: Setting = SHOT, allow_incomplete: bool = False) -> Cell:
    samples = {name: _sample(name, difficult=False) for name in "abcd"}
    whole = CellScores(setting, find_tasks()["quality"], samples, scores)
    return next(cell for cell in cells(whole, "m", allow_incomplete=allow_incomplete) if cell.metric == "accuracy")


def test_a_cell_says_what_the_cut_took_and_what_the_output_limit_did() -> None:
    cell = _accuracy(
        _answered("a", 100.0),
        _answered("b", 0.0, cut=True, kept=0.5, demonstrations_lost=True, output_capped=True),
        _answered("c", 0.0, cut=True, kept=0.25, demonstrations_lost=False),
        replace(_answered("d", 50.0, cut=True, kept=0.25, demonstrations_lost=True), status="unscorable"),
    )
    assert (cell.cut, cell.demonstrations_lost, cell.kept, cell.output_capped) == (3, 2, 0.5, 1)
    assert (cell.value, cell.value_completed) == (37.5, 50.0)
    assert (cell.repeats, cell.higher_is_better) == (1, True)


def test_what_was_not_answered_is_in_no_count_of_cuts() -> None:
    lost = {"cut": True, "kept": 0.1, "demonstrations_lost": True, "evidence": "none"}
    failed = replace(_answered("b", 0.0, **lost), status="failed", values={}, output_capped=None)
    cell = _accuracy(
        _answered("a", 100.0, evidence="all"), failed, replace(failed, sample_id="c"), allow_incomplete=True
    )
    assert (cell.failed, cell.cut, cell.kept, cell.demonstrations_lost, cell.evidence_lost) == (3, 0, 1.0, 0, 0)
    assert (cell.value, cell.value_completed) == (100.0, 100.0)


@pytest.mark.parametrize("capped", [(None, False), (None, True), (None, None), (True, True)])
def test_the_value_of_completed_answers_is_null_where_it_cannot_be_told(
    capped: tuple[bool | None, bool | None],
) -> None:
    one, two = capped
    cell = _accuracy(
        *(_answered(name, 100.0, output_capped=how) for name, how in zip("abcd", (one, one, two, two), strict=True))
    )
    assert (cell.value, cell.value_completed) == (100.0, None)
    assert cell.output_capped == 2 * sum(how is True for how in capped)


def test_an_incomplete_cell_has_no_value_of_completed_answers_either() -> None:
    assert _accuracy(_answered("a", 100.0)).value_completed is None


def test_an_incomplete_cell_has_a_value_on_demand_alone() -> None:
    whole = CellScores(SHOT, find_tasks()["quality"], {"a": _sample("a", difficult=False)}, ())
    one = replace(whole, samples={**whole.samples, "b": _sample("b", difficult=False)}, scores=(_answered("a", 1.0),))
    assert {cell.value for cell in cells(one, "m")} == {None}
    assert next(cells(one, "m", allow_incomplete=True)).value == 1.0


def test_a_cell_without_shots_has_no_demonstrations_to_lose() -> None:
    cell = _accuracy(*(_answered(name, 1.0, demonstrations_lost=None) for name in "abcd"), setting=SETTING)
    assert cell.demonstrations_lost is None


def test_a_metric_says_which_way_is_better() -> None:
    task = find_tasks()["quality"]
    loss = replace(task, metrics=(Metric("accuracy", primary=True, higher_is_better=False),))
    whole = CellScores(SHOT, loss, {"a": _sample("a", difficult=False)}, (_answered("a", 1.0),))
    assert [cell.higher_is_better for cell in cells(whole, "m")] == [False]


def test_a_metric_says_what_clusters_its_errors() -> None:
    """Four documents; the questions of each author are alike."""
    authors = Metric("accuracy", primary=True, clusters=lambda sample: str(sample.attributes["author"]))
    task = replace(find_tasks()["quality"], metrics=(authors, Metric("exact_match")))
    samples = {name: Sample(name, Document(name, ""), "?", (), attributes={"author": name in "ab"}) for name in "abcd"}
    values = {"a": 100.0, "b": 90.0, "c": 20.0, "d": 10.0}
    whole = CellScores(SHOT, task, samples, tuple(_answered(name, value) for name, value in values.items()))
    found = {cell.metric: cell.stderr for cell in cells(whole, "m")}
    assert found["accuracy"] == pytest.approx(40.0)  # sqrt(2 / (2 - 1) * (80^2 + 80^2)) / 4
    assert found["exact_match"] == pytest.approx(((4 / 3) * (45**2 + 35**2 + 35**2 + 45**2)) ** 0.5 / 4)


def test_completed_answers_of_a_derived_metric_are_combined_from_their_means() -> None:
    task = find_tasks()["qmsum"]
    rows = {"a": (40.0, 10.0, 20.0), "b": (20.0, 2.0, 4.0), "c": (90.0, 90.0, 90.0)}
    scores = tuple(
        replace(_answered(name, 0.0), values=_rouge(row), output_capped=name == "c") for name, row in rows.items()
    )
    whole = CellScores(SHOT, task, {name: _sample(name, difficult=False) for name in rows}, scores)
    (cell,) = (cell for cell in cells(whole, "m") if cell.primary)
    assert cell.value_completed == pytest.approx((30 * 6 * 12) ** (1 / 3))
    assert cell.value == pytest.approx((50 * 34 * 38) ** (1 / 3))


def test_the_error_of_a_derived_metric_leaves_out_whole_documents() -> None:
    """Two documents of two questions each: leaving out single questions would give another error."""
    task = find_tasks()["qmsum"]
    rows = {"a": (40.0, 10.0, 20.0), "b": (20.0, 2.0, 4.0), "c": (90.0, 90.0, 90.0), "d": (9.0, 9.0, 9.0)}
    scores = tuple(replace(_answered(name, 0.0), values=_rouge(row)) for name, row in rows.items())
    samples = {name: Sample(name, Document("x" if name in "ab" else "y", ""), "?", ()) for name in rows}
    whole = CellScores(SHOT, task, samples, scores)
    (cell,) = (cell for cell in cells(whole, "m") if cell.primary)
    without_x, without_y = 49.5, (30 * 6 * 12) ** (1 / 3)
    assert cell.stderr == pytest.approx(abs(without_x - without_y) / 2)


def _broken(_: object) -> Any:
    raise TaskError("task quality: broken")


def test_a_metric_whose_own_code_fails_keeps_its_counts_and_the_others_their_values() -> None:
    metrics = (
        Metric("accuracy", primary=True),
        Metric("hard", averages="accuracy", subset=_broken, higher_is_better=False),
        Metric("derived", of=("accuracy", "exact_match"), combine=_broken),
        Metric("clustered", averages="accuracy", clusters=_broken),
    )
    scores = (_answered("a", 100.0, cut=True), replace(_answered("b", 40.0), status="unscorable"))
    samples = {name: _sample(name, difficult=False) for name in "ab"}
    whole = CellScores(SHOT, replace(find_tasks()["quality"], metrics=metrics), samples, scores)
    told: list[str] = []
    found = {cell.metric: cell for cell in cells(whole, "model", defect=told.append)}
    assert (found["accuracy"].value, found["accuracy"].complete) == (70.0, True)
    without = {"primary": False, "value": None, "stderr": None, "value_completed": None, "complete": False}
    assert found["derived"] == replace(found["accuracy"], metric="derived", **without)
    assert found["clustered"] == replace(found["derived"], metric="clustered")
    assert found["hard"] == replace(found["derived"], metric="hard", higher_is_better=False)
    assert told == [
        f"task quality: broken; {SHOT.key} has no {name}: mend the task, then run `evalsuite score`"
        for name in ("hard", "derived", "clustered")
    ]
    assert len(list(cells(whole, "model"))) == len(metrics)
