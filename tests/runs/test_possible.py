"""What cannot be asked is told all at once, and left out where that is wished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faulty import faulty
from made import TOY, cells, row, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main

Capture = pytest.CaptureFixture[str]
PAPER = "paper_protocol(score=score, max_new_tokens=32),"
BARE = (PAPER, f"replace({PAPER} demonstrate=None),")
IMPORTED = (
    "from collections.abc import Iterator\n",
    "from collections.abc import Iterator; from dataclasses import replace\n",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "data", toy_rows(2, 2), [row(90 + d, 50 + d, "a tale") for d in range(2)])


@pytest.fixture
def without_shots(tmp_path: Path) -> Path:
    """A task ``bare`` that has no demonstrations."""
    return faulty(tmp_path, BARE, IMPORTED, name="bare")


def _problems(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("cannot be asked: ")]


def _shots(folder: Path) -> set[tuple[str, int]]:
    return {(cell["task"], cell["shots"]) for cell in cells(folder)}


def test_all_cells_that_do_not_fit_are_told_before_the_first_is_asked(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    asked = toy_run(tmp_path / "out", data, "--max-prompt-tokens", "10,15,500")
    assert main(asked) == 2
    said = capsys.readouterr().err
    assert [line[-15:] for line in _problems(said)] == ["0-shot, cap 10)", "0-shot, cap 15)"]
    assert "2 problems, listed above" in said
    assert "--skip-impossible" in said
    assert not (tmp_path / "out").exists()


def test_without_the_cells_that_do_not_fit_the_others_are_asked_and_resumed(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    asked = toy_run(tmp_path / "out", data, "--max-prompt-tokens", "10,15,500", "--skip-impossible")
    assert main(asked) == 0
    assert capsys.readouterr().err.count("note: left out, it cannot be asked: task toy: sample") == 2
    assert {cell["max_prompt_tokens"] for cell in cells(tmp_path / "out")} == {500}
    notices = json.loads((tmp_path / "out" / "run.json").read_text())["notices"]
    assert sum("cannot be asked" in notice for notice in notices) == 2
    assert main(asked) == 0


def test_tasks_that_cannot_be_asked_for_different_reasons_are_told_together(
    data: Path, tmp_path: Path, capsys: Capture, without_shots: Path
) -> None:
    fixed = ["run", "--model", "scripted:echo", "--tasks", "bare,toy,qmsum", "--data", str(data), "--shots", "3"]
    where = ["--include-path", str(TOY), "--include-path", str(without_shots), "--out", str(tmp_path / "out")]
    assert main([*fixed, *where]) == 2
    problems = _problems(capsys.readouterr().err)
    assert len(problems) == 3
    assert "task bare, protocol paper: defined without demonstrations" in problems[0]
    assert "task toy: 3 demonstrations asked" in problems[1]
    assert "Get " in problems[2]
    assert main([*fixed, *where, "--skip-impossible"]) == 2, "missing data has its own option"
    assert main([*fixed, *where, "--skip-impossible", "--skip-missing-data"]) == 2, "nothing is left"
    assert not (tmp_path / "out").exists()


def test_shots_are_asked_of_the_tasks_that_have_demonstrations(
    data: Path, tmp_path: Path, capsys: Capture, without_shots: Path
) -> None:
    fixed = ["run", "--model", "scripted:echo", "--tasks", "bare,toy", "--data", str(data), "--shots", "0,1,2"]
    where = ["--include-path", str(TOY), "--include-path", str(without_shots), "--out", str(tmp_path / "out")]
    assert main([*fixed, *where]) == 0
    assert "note: bare: protocol paper: defined without demonstrations, asked 0-shot only" in capsys.readouterr().err
    assert _shots(tmp_path / "out") == {("bare", 0), ("toy", 0), ("toy", 1), ("toy", 2)}


def test_too_many_demonstrations_cost_the_cells_that_want_them(data: Path, tmp_path: Path) -> None:
    assert main(toy_run(tmp_path / "out", data, "--shots", "0,1,5", "--skip-impossible")) == 0
    assert _shots(tmp_path / "out") == {("toy", 0), ("toy", 1)}


def test_files_without_texts_are_data_that_is_missing(data: Path, tmp_path: Path, capsys: Capture) -> None:
    plug_in = faulty(tmp_path, ('row.text("text")', '""'), name="empty")
    fixed = ["run", "--model", "scripted:echo", "--tasks", "empty,toy", "--data", str(data)]
    where = ["--include-path", str(TOY), "--include-path", str(plug_in), "--out", str(tmp_path / "out")]
    assert main([*fixed, *where]) == 2
    assert "task empty: no document with text is left" in capsys.readouterr().err
    assert main([*fixed, *where, "--skip-missing-data"]) == 0
    assert "left out for want of data: task empty: no document with text" in capsys.readouterr().err
    assert _shots(tmp_path / "out") == {("toy", 0)}


def test_an_option_without_tokens_is_refused_before_anything_is_asked(tmp_path: Path, capsys: Capture) -> None:
    from evalsuite.engines.scripted import ScriptedEngine
    from evalsuite.errors import UsageError
    from evalsuite.plugins import find_tasks, select_tasks
    from evalsuite.records import Block, RunSpec
    from evalsuite.runs.planning.make_plan import make_plan

    data = toy_data(tmp_path, [row(0, 0, "text", choices=["a", "b"])])
    spec = RunSpec("scripted:x", (Block(("toy",), protocol="options"),), data=str(data))
    model = ScriptedEngine(lambda _: "x")
    whole = model.tokenizer.encode_literal
    silent = type("Silent", (type(model.tokenizer),), {"encode_literal": lambda _, text: whole(text.replace(" b", ""))})
    model.tokenizer = silent()
    with pytest.raises(UsageError, match="sample q0: its option ' b' has no tokens"):
        make_plan(spec, (select_tasks(["toy"], find_tasks([str(TOY)])),), model)
    del capsys


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--split", "train,validation", "two values for every task"),
        ("--split", "toy=train,toy=validation", "two values for task toy"),
        ("--limit-documents", "1,2", "two values for every task"),
        ("--limit-documents", "1,toy=2,3", "two values for every task"),
    ],
)
def test_an_option_with_two_values_for_one_task_is_refused(
    data: Path, tmp_path: Path, capsys: Capture, option: str, value: str, said: str
) -> None:
    assert main(toy_run(tmp_path / "out", data, option, value)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{option} {value}: {said}" in line
    assert not (tmp_path / "out").exists()


def test_a_limit_takes_the_first_documents_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [row(0, 0, ""), *(row(number, number, f"text {number}") for number in range(1, 6))]
    limited = toy_data(tmp_path / "limited", rows)
    assert main(toy_run(tmp_path / "out", limited, "--limit-documents", "2")) == 0
    kept = [json.loads(line)["id"] for line in (tmp_path / "out" / "samples.jsonl").read_text().splitlines()]
    assert kept == ["q0", "q1", "q2"]
