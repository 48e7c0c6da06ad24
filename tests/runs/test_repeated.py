"""What ended half-way can be done again; what is somebody else's stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made import cells, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main
from evalsuite.runs import execute, imported, scored

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_data_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "data", toy_rows(1, 2))


@pytest.fixture
def answers(tmp_path: Path) -> list[str]:
    """Arguments that import one L-Eval file."""
    path = tmp_path / "tpo.pred.jsonl"
    path.write_text(
        "".join(
            json.dumps({"query": query, "gt": "B", "prompt": "p", "m_pred": "B", "evaluation": "exam"}) + "\n"
            for query in ("Which?", "Who?")
        )
    )
    return ["score-predictions", str(path), "--suite", "leval", "--out", str(tmp_path / "run")]


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (imported, "write_document"),
        (imported, "write_atomic"),
        (imported, "write_record"),
        (scored.store, "write_lines"),
        (scored.store, "write_record"),
    ],
)
def test_an_import_that_failed_half_way_is_done_again_by_the_same_command(
    answers: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    module: object,
    name: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, name, _full)
        assert main(answers) == 2
        assert "run the same command again" in capsys.readouterr().err
    assert main(answers) == 0
    assert [cell["value"] for cell in cells(tmp_path / "run") if cell["primary"]] == [100.0]
    assert main(answers) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_a_half_failed_import_is_no_place_for_other_answers(
    answers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(scored.store, "write_lines", _full)
        assert main(answers) == 2
    path = tmp_path / "tpo.pred.jsonl"
    path.write_text(path.read_text().replace('"m_pred": "B"', '"m_pred": "C"'))
    capsys.readouterr()
    assert main(answers) == 2
    assert "holds a run already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["write_document", "write_lines", "write_record"])
def test_a_run_that_could_not_begin_begins_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(execute, name, _full)
        assert main(toy_run(tmp_path / "run", data)) == 2
    assert main(toy_run(tmp_path / "run", data)) == 0


@pytest.mark.parametrize(
    "name",
    [
        "samples.jsonl",
        "requests.jsonl",
        "completions.jsonl",
        "scores.jsonl",
        "cells.json",
        "run.lock",
        "run.json",
        "documents/mine.txt",
    ],
)
@pytest.mark.parametrize("command", ["run", "score-predictions", "score"])
def test_files_of_somebody_else_are_not_written_over(
    data: Path, answers: list[str], tmp_path: Path, capsys: Capture, name: str, command: str
) -> None:
    out = tmp_path / "run"
    mine = out / name
    mine.parent.mkdir(parents=True)
    mine.write_text("[]\n")
    if name == "run.json":
        (out / "run.lock").write_text("4711\n")
    capsys.readouterr()
    arguments = {"run": toy_run(out, data), "score-predictions": answers, "score": ["score", str(out)]}[command]
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert main(arguments) == 2
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert str(out) in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", ""],
        ["score", ""],
        ["compare", ".", " "],
        ["submission", "", "--out", "x.csv"],
        ["demo", "--out", ""],
        ["run", "--model", "scripted:echo", "--tasks", "qmsum", "--out", ""],
        ["score-predictions", "x", "--suite", "plain", "--out", ""],
    ],
)
def test_an_empty_path_is_not_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "the path is empty; write . for the current directory" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
