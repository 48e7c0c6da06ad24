"""Joining what a run wrote: the protocol that reads a cell, what is damaged, and what is told of a task's faults."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from made import sample

from evalsuite.cells import Setting
from evalsuite.errors import TaskError, UsageError
from evalsuite.qa import paper_protocol
from evalsuite.records import IMPORTED, RequestRecord
from evalsuite.scoring.cells import CellScores
from evalsuite.scoring.join import samples_of, score_cells, table_cells, unscored
from evalsuite.task import Dataset, Metric, PromptProtocol, Task
from evalsuite.types import Completion, Sample, Score, ScoredAnswer

SETTING = Setting("toys", "toy", "validation", "second", 0, 0, None, None, "left")
SAMPLES = {name: sample("The king slept.", name=name, document=name) for name in ("s1", "s2", "s3")}
ASKED = {("toy", "validation", None, None): SAMPLES}


def _protocol(name: str, **more: Any) -> PromptProtocol:
    def score(asked: Sample, _: Completion) -> ScoredAnswer:
        return ScoredAnswer({"f1": 50.0}, f"{name} read {asked.id}")

    return replace(paper_protocol(score=score, max_new_tokens=5), name=name, **more)


def _options(_: Sample) -> tuple[str, ...]:
    return ("a", "b")


def _task(*protocols: PromptProtocol, metrics: tuple[Metric, ...] = (Metric("f1", primary=True),)) -> Task:
    return Task(
        name="toy",
        suite="toys",
        title="Toy",
        version=1,
        samples=lambda *_: (),
        splits=("validation",),
        split="validation",
        protocols=protocols,
        metrics=metrics,
        dataset=Dataset("toy", "", "", "", ""),
        paper="",
    )


TASK = _task(_protocol("first", options=_options), _protocol("second"), _protocol("third"))


def _joined(setting: Setting = SETTING, task: Task = TASK, **more: Any) -> CellScores:
    """The scores of one cell: two of its three samples were asked, the later one first."""
    requests = [
        RequestRecord(f"{setting.key}/{name}", setting.key, name, "", name, "", None, None) for name in ("s2", "s1")
    ]
    completions = {name: Completion(name, "text") for name in SAMPLES}
    known = {"samples": ASKED, "tasks": {"toy": task}, **more}
    run = SimpleNamespace(settings=(setting,))  # of a run's record, its cells alone are read
    (found,) = score_cells(run, known["samples"], requests, completions, known["tasks"])  # type: ignore[arg-type]
    return found


def test_the_scores_of_a_cell_stand_in_the_order_of_its_samples() -> None:
    found = _joined()
    assert [score.sample_id for score in found.scores] == ["s1", "s2"]
    assert found.missing == 1
    assert (found.setting, found.task, found.samples) == (SETTING, TASK, SAMPLES)


@pytest.mark.parametrize(("protocol", "reader"), [("second", "second"), ("third", "third"), (IMPORTED, "second")])
def test_a_cell_is_read_by_its_protocol_and_texts_made_elsewhere_by_the_first_that_generates(
    protocol: str, reader: str
) -> None:
    found = _joined(replace(SETTING, protocol=protocol))
    assert [score.answer for score in found.scores] == [f"{reader} read s1", f"{reader} read s2"]


def test_a_task_that_only_compares_options_reads_no_texts_made_elsewhere() -> None:
    said = r"^task toy compares options only; it cannot read predictions made elsewhere$"
    with pytest.raises(UsageError, match=said):
        _joined(replace(SETTING, protocol=IMPORTED), _task(_protocol("first", options=_options)))


def test_a_cell_whose_samples_or_task_are_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=f"^no samples of {SETTING.key} in the run directory: it is damaged$"):
        _joined(samples={})
    with pytest.raises(UsageError, match=r"^the run asks task 'toy', which is not installed here; give its --include"):
        _joined(tasks={})


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (("toy", "validation", 4096, 7), True),
        (("toy", "validation", 4096, None), True),
        (("toy", "validation", 4096, 8), False),
        (("toy", "validation", None, 7), False),
        (("toy", "test", 4096, 7), False),
        (("other", "validation", 4096, 7), False),
    ],
)
def test_a_cell_has_the_samples_of_its_task_split_length_and_seed(
    read: tuple[str, str, int | None, int | None],
    found: bool,  # noqa: FBT001
) -> None:
    asked = replace(SETTING, length=4096, seed=7)
    assert samples_of(asked, {read: SAMPLES}) == (SAMPLES if found else {})


def test_documents_generated_with_the_seed_of_a_cell_come_before_natural_ones() -> None:
    natural, made = {"n": SAMPLES["s1"]}, {"g": SAMPLES["s2"]}
    both = {("toy", "validation", None, None): natural, ("toy", "validation", None, 0): made}
    assert samples_of(SETTING, both) == made


def _faulty(*reasons: str) -> CellScores:
    scores = tuple(
        Score(name, SETTING.key, name, name, "failed" if reason else "scored", {"f1": 50.0}, reason=reason)
        for name, reason in zip(SAMPLES, reasons, strict=False)
    )
    return CellScores(SETTING, TASK, SAMPLES, scores)


def test_answers_that_could_not_be_scored_are_told_once_with_the_first_fault() -> None:
    told = list(unscored([_faulty("not scored: one", "", "not scored: two"), _faulty("out of memory", "", "")]))
    count = f"2 of 3 answers of {SETTING.key} could not be scored"
    assert told == [f"one; {count}: mend the task, then run `evalsuite score` on this directory"]


def _broken(_: object) -> float:
    raise TaskError("task toy: broken")


def test_a_table_of_an_incomplete_run_has_values_on_demand_alone_and_tells_each_fault() -> None:
    metrics = (Metric("f1", primary=True), Metric("derived", of=("f1",), combine=_broken))
    found = replace(_faulty("", "not scored: one"), task=_task(_protocol("second"), metrics=metrics))
    told: list[str] = []
    assert [cell.value for cell in table_cells([found], "m", defect=told.append)] == [None, None]
    assert [line.partition(";")[0] for line in told] == ["one"]
    shown = table_cells([found], "m", allow_incomplete=True, defect=told.append)
    assert [(cell.model, cell.value) for cell in shown] == [("m", 50.0), ("m", None)]
    assert [line.partition(";")[0] for line in told] == ["one", "one", "task toy: broken"]
