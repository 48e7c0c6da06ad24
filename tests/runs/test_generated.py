"""A task that makes its documents: to the length asked for, in the tokens of the model asked, without a data folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made import HELPERS, TOY, cells, lines, toy_data, toy_rows

from evalsuite.cli.main import main
from evalsuite.engines.scripted import SCRIPTS, ScriptedEngine
from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.records import Block, RunSpec
from evalsuite.runs.execute import execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.planning.plan import Plan
from evalsuite.runs.scored import score_folder

if TYPE_CHECKING:
    from evalsuite.interfaces import Tokenizer

GENERATED = HELPERS / "generated_tasks"
TASKS = find_tasks([str(GENERATED)])
LENGTHS = (64, 128)


@pytest.fixture(autouse=True)
def _no_data_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)


def _engine(tokenizer: Tokenizer | None = None) -> ScriptedEngine:
    made = ScriptedEngine(SCRIPTS["first-words"])
    if tokenizer is not None:
        made.tokenizer = tokenizer  # type: ignore[assignment]
    return made


def _plan(engine: ScriptedEngine, *, data: Path | None = None, **block: object) -> Plan:
    asked = Block(("numbers",), lengths=LENGTHS, **block)  # type: ignore[arg-type]
    spec = RunSpec("scripted:first-words", (asked,), data=None if data is None else str(data))
    return make_plan(spec, ((TASKS["numbers"],),), engine)


def _documents(plan: Plan) -> dict[str, list[str]]:
    return {task.reading.key: [sample.document.text for sample in task.reading.samples()] for task in plan.tasks}


def _command(out: Path, *more: str) -> list[str]:
    fixed = ["run", "--model", "scripted:first-words", "--tasks", "numbers", "--include-path", str(GENERATED)]
    return [*fixed, "--out", str(out), *more]


def test_one_command_asks_a_generated_task_at_two_lengths_without_data(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(_command(out, "--lengths", "64,128")) == 0
    found = cells(out)
    assert [(cell["length"], cell["asked"], cell["scored"]) for cell in found] == [(64, 3, 3), (128, 3, 3)]
    assert all(cell["complete"] for cell in found)
    assert {line["length"] for line in lines(out / "samples.jsonl")} == set(LENGTHS)
    before = (out / "cells.json").read_bytes()
    assert main(["score", str(out), "--include-path", str(GENERATED)]) == 0
    assert (out / "cells.json").read_bytes() == before


@pytest.mark.parametrize("own", [True, False])
def test_a_generated_document_has_its_length_in_the_tokens_of_the_model_asked(
    tiny_tokenizer: Tokenizer, *, own: bool
) -> None:
    engine = _engine(tiny_tokenizer if own else None)
    for task in _plan(engine).tasks:
        samples = list(task.reading.samples())
        sizes = {len(engine.tokenizer.encode_literal(sample.document.text).ids) for sample in samples}
        assert sizes == {task.reading.length} == {sample.document.length for sample in samples}


def test_a_generated_document_does_not_come_from_the_folder_of_its_length(tmp_path: Path) -> None:
    (tmp_path / "length-64").mkdir()  # and no length-128
    assert _documents(_plan(_engine(), data=tmp_path)) == _documents(_plan(_engine()))


def test_every_seed_makes_documents_of_its_own_and_is_scored_on_them(tmp_path: Path) -> None:
    engine = _engine()
    plan = _plan(engine, seeds=(1, 2))
    documents = _documents(plan)
    assert len(documents) == 4
    assert len({text for texts in documents.values() for text in texts}) == 12
    execute(plan, engine, tmp_path / "out", lambda _: None)
    found = [cell for cell in score_folder(tmp_path / "out", TASKS) if cell.primary]
    assert sorted((cell.seed, cell.length) for cell in found) == [(1, 64), (1, 128), (2, 64), (2, 128)]
    # The prompt's first words hold the number: an answer scored by another seed's document would not find it.
    assert [cell.value for cell in found] == [100.0] * 4
    again = execute(_plan(engine, seeds=(1, 2)), engine, tmp_path / "out", lambda _: None)
    assert again.done == 12


def test_natural_documents_are_read_once_whatever_the_seeds(tmp_path: Path) -> None:
    data = toy_data(tmp_path / "data", toy_rows(2, 2))
    spec = RunSpec("scripted:x", (Block(("toy",), seeds=(1, 2)),), data=str(data))
    plan = make_plan(spec, ((find_tasks([str(TOY)])["toy"],),), _engine())
    assert [task.reading.key for task in plan.tasks] == ["toy/validation"]
    assert [cell.setting.seed for cell in plan.cells] == [1, 2]


def test_what_a_generated_task_needs_and_was_not_given_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_command(tmp_path / "out")) == 2
    assert "give --lengths" in capsys.readouterr().err


def test_a_generated_task_that_asks_for_files_says_what_to_get() -> None:
    def read(selection: object) -> object:
        return selection.source.need("texts/*.txt")  # type: ignore[attr-defined]

    task = replace(TASKS["numbers"], samples=read)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no data for 'numbers'"):
        make_plan(RunSpec("scripted:x", (Block(("numbers",)),)), ((task,),), _engine())
