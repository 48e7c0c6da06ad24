"""``evalsuite compare`` on run directories: what may stand side by side, and what is said when it may not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from made import TOY, cells, row, toy_data, toy_rows, toy_run, without_seals

from evalsuite.cli.main import main
from evalsuite.runs.directory.store import read_record, write_record


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models asked the same, in one folder."""
    folder = tmp_path_factory.mktemp("runs")
    data = toy_data(tmp_path_factory.mktemp("data"), toy_rows())
    for name in ("first-words", "echo"):
        assert main(toy_run(folder / name, data, "--shots", "0,1", model=f"scripted:{name}")) == 0
    return folder


@pytest.fixture
def other_data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "other-data", [row(0, 0, "another text"), row(1, 1, "yet another")])


def test_a_folder_of_runs_is_one_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs), "--format", "json", "--every-metric"]) == 0
    together = json.loads(capsys.readouterr().out)
    assert main(["compare", str(runs / "first-words"), str(runs / "echo"), "--format", "json", "--every-metric"]) == 0
    apart = json.loads(capsys.readouterr().out)
    assert {cell["model"] for cell in together} == {"first-words", "echo"}
    assert len(together) == 2 * 2 * 2
    assert sorted(map(str, together)) == sorted(map(str, apart))


def test_a_run_named_twice_is_shown_once(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs / "echo"), str(runs / "echo"), "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_two_runs_with_a_value_for_one_place_are_refused(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copytree(runs / "echo", tmp_path / "copy")
    assert main(["compare", str(runs), str(tmp_path / "copy")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "two runs hold toy 0-shot of model 'echo'" in said.err


def test_different_questions_are_called_not_comparable(
    runs: Path, tmp_path: Path, other_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "other"
    assert main(toy_run(out, other_data, model="scripted:letter-a")) == 0
    capsys.readouterr()
    assert main(["compare", str(runs / "echo"), str(out)]) == 4
    said = capsys.readouterr().err
    assert "not comparable: toy/validation/paper/0-shot" in said
    assert str(out) in said
    assert main(["compare", str(runs)]) == 0
    assert "not comparable" not in capsys.readouterr().err


def test_different_engines_and_a_change_of_engine_are_said(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copytree(runs / "echo", tmp_path / "echo")
    record = read_record(out)
    changed = replace(record.engine, version="9")
    write_record(out, replace(record, engine_changes=(changed,)))
    assert main(["compare", str(out)]) == 0
    assert "answered by more than one engine: scripted 1, scripted 9" in capsys.readouterr().err
    write_record(out, replace(record, engine=changed))
    assert main(["compare", str(runs / "first-words"), str(out)]) == 0
    assert "different engines: scripted 1, scripted 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_model_len": 77}, "the models take prompts of different lengths: 77, 1,048,576 tokens"),
        ({"tokenizer": "another"}, "the models have different tokenizers: a cap of N tokens keeps different amounts"),
    ],
)
def test_conditions_of_the_models_that_differ_are_said(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], said: str
) -> None:
    out = copytree(runs / "echo", tmp_path / "echo")
    assert main(["compare", str(runs)]) == 0
    assert "the models" not in capsys.readouterr().err
    record = read_record(out)
    write_record(out, replace(record, engine=replace(record.engine, **change)))
    assert main(["compare", str(runs / "first-words"), str(out)]) == 0
    assert capsys.readouterr().err.count(said) == 1


NEW = ("demonstrations_lost", "kept", "output_capped", "value_completed", "repeats", "higher_is_better")


def test_cells_of_an_older_evalsuite_are_shown_and_said_to_be_old(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copytree(runs / "echo", tmp_path / "echo")
    old = [{name: value for name, value in cell.items() if name not in NEW} for cell in cells(out)]
    (out / "cells.json").write_text(json.dumps(old))
    without_seals(out)
    assert main(["compare", str(out)]) == 0
    assert "scored by an older evalsuite" in capsys.readouterr().out
    assert main(["compare", str(out), "--format", "json"]) == 0
    for cell in json.loads(capsys.readouterr().out):
        assert [cell[name] for name in NEW] == [None, None, None, None, 1, True]
    assert main(["score", str(out), "--include-path", str(TOY)]) == 0
    assert "older" not in capsys.readouterr().out
    assert cells(out) == cells(runs / "echo")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("cells.json", None, "cells.json is missing"),
        ("cells.json", b"[{}]", "cells.json was changed since it was written (0 lines"),
        ("cells.json", b"not json", "cells.json was changed"),
        ("cells.json", b"\xff\xfe", "cells.json was changed"),
        ("run.json", b"{}", "run.json: schema version None"),
        ("run.json", b'{"schema_version": 999}', "schema version 999"),
        ("run.json", b"not json", "run.json"),
        ("run.json", b"[]", "run.json"),
    ],
)
def test_a_broken_run_directory_is_one_clear_line(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, content: bytes | None, said: str
) -> None:
    out = copytree(runs / "echo", tmp_path / "echo")
    if content is None:
        (out / file).unlink()
    else:
        (out / file).write_bytes(content)
    assert main(["compare", str(out)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.strip().splitlines()) == 1


def test_a_folder_without_runs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        assert main(["compare", str(path)]) == 2
        assert f"{path}: no run there" in capsys.readouterr().err
