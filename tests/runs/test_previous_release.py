"""Runs that the previous release wrote (tests/fixtures/previous_release) are read, scored and compared as they were."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import zero
from made import lines

from evalsuite.cli.main import main
from evalsuite.records import ALL, Block, RunSpec
from evalsuite.runs.directory.older import upgraded
from evalsuite.runs.directory.store import read_record
from evalsuite.runs.run import Run, open_runs

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "previous_release"
NAMES = ("first-words", "letter-a", "imported", "zeroscrolls")
ASKED = (
    *("--tasks", "qasper,quality", "--shots", "0,1", "--max-prompt-tokens", "2400,model", "--seed", "7"),
    *("--limit-documents", "2,quality=1", "--split", "validation,quality=train", "--model-name", "always A"),
)
"""How ``letter-a`` was asked."""
LOOKS = ("terminal", "markdown", "csv", "latex", "json")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Copies of the runs, which may be scored."""
    for name in NAMES:
        copytree(FIXTURE / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


def _said(line: list[str], capsys: Capture, code: int) -> str:
    assert main(line) == code
    told = capsys.readouterr()
    return told.out + told.err


def _content(folder: Path) -> dict[str, bytes]:
    """A run's files but for the lock, which whoever looks may take."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.lock")
    return {str(path): path.read_bytes() for path in files}


def _had(name: str) -> list[dict[str, Any]]:
    """The cells as the previous release wrote them."""
    cells: list[dict[str, Any]] = json.loads((FIXTURE / name / "cells.json").read_text(encoding="utf-8"))
    return cells


def _in(cell: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """The fields of a cell that the previous release had, too."""
    return {name: cell[name] for name in old}


@pytest.mark.parametrize(
    ("name", "flags", "code"),
    [
        ("first-words", (), 3),
        ("letter-a", (), 0),
        ("imported", ("--allow-incomplete",), 3),
        ("zeroscrolls", (), 0),
    ],
)
def test_every_value_error_and_count_is_what_it_was(
    name: str, flags: tuple[str, ...], code: int, runs: Path, capsys: Capture
) -> None:
    said = _said(["score", str(runs / name), *flags], capsys, code)
    assert f"{name} is unsealed" in said
    had = _had(name)
    now = json.loads((runs / name / "cells.json").read_text(encoding="utf-8"))
    assert [_in(cell, old) for cell, old in zip(now, had, strict=True)] == had
    scores, judged = lines(FIXTURE / name / "scores.jsonl"), lines(runs / name / "scores.jsonl")
    for new, old in zip(judged, scores, strict=True):
        met = new["output_capped"]
        assert met is None or met == old["output_capped"]
        assert (met is None) == (new["status"] != "scored" or name == "imported")  # where it cannot be told
        assert _in(new, old) == {**old, "output_capped": met}


def test_the_cells_hold_what_the_runs_are_made_to_hold() -> None:
    primary = {(c["task"], c["shots"], c["max_prompt_tokens"]): c for c in _had("first-words") if c["primary"]}
    whole, cut, failed = (primary["qasper", *which] for which in ((0, None), (1, 2400), (1, None)))
    assert (whole["value"], whole["stderr"], whole["scored"], whole["cut"]) == (75.0, 25.0, 4, 0)
    assert (cut["value"], cut["cut"], cut["complete"]) == (75.0, 4, True)
    assert (failed["value"], failed["failed"], failed["scored"], failed["complete"]) == (None, 1, 3, False)
    assert {c["value"] for c in _had("letter-a") if c["task"] == "quality" and c["primary"]} == {50.0}
    assert [c["failed"] for c in _had("imported") if c["primary"]] == [2]
    assert {c["skipped"] for c in _had("zeroscrolls")} == {1}


def test_scoring_counts_what_the_previous_release_did_not(runs: Path, capsys: Capture) -> None:
    before = _said(["compare", str(runs / "letter-a")], capsys, 0)
    assert "scored by an older evalsuite, which did not count lost demonstrations" in before
    assert main(["score", str(runs / "letter-a")]) == 0
    after = _said(["compare", str(runs / "letter-a")], capsys, 0)
    assert "4/4 lost demonstrations" in after
    assert "older evalsuite" not in after
    once = _content(runs / "letter-a")
    assert main(["score", str(runs / "letter-a")]) == 0
    assert _content(runs / "letter-a") == once


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize("look", LOOKS)
def test_compare_shows_their_values_in_every_format(look: str, *, scored: bool, runs: Path, capsys: Capture) -> None:
    pair = [str(runs / "first-words"), str(runs / "letter-a")]
    if scored:
        for run in pair:
            main(["score", run])
    capsys.readouterr()
    assert main(["compare", *pair, "--format", look]) == 3
    told = capsys.readouterr()
    assert all(f"{run} is unsealed" in told.err for run in pair)
    had = [cell for name in NAMES[:2] for cell in _had(name) if cell["primary"]]
    if look == "json":
        assert [_in(cell, old) for cell, old in zip(json.loads(told.out), had, strict=True)] == had
    elif look == "csv":
        rows = list(csv.DictReader(io.StringIO(told.out)))
        assert [row["value"] for row in rows] == ["" if cell["value"] is None else str(cell["value"]) for cell in had]
    else:
        assert "75.0" in told.out
        assert "incomplete" in told.out
        assert "50.0" in told.out


def test_other_kinds_of_runs_are_compared_as_well(runs: Path, capsys: Capture) -> None:
    imported = _said(["compare", str(runs / "imported")], capsys, 3)
    assert "holds imported predictions" in imported
    assert "25.0 ± 25.0 (incomplete)" in imported
    assert "none scored" in _said(["compare", str(runs / "zeroscrolls")], capsys, 0)


def test_a_submission_is_made_of_their_answers(runs: Path, tmp_path: Path) -> None:
    for config in zero.LAYOUTS:
        zero.write(tmp_path / "data", config, "test", [zero.row(config, f"{config}-0", None)])
    out = tmp_path / "submission.csv"
    assert main(["submission", str(runs / "zeroscrolls"), "--data", str(tmp_path / "data"), "--out", str(out)]) == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert {(row["Task"], row["ID"], row["Prediction"]) for row in rows} == {(c, f"{c}-0", "A") for c in zero.LAYOUTS}


def test_going_on_with_one_is_refused_in_one_line_and_nothing_is_touched(
    runs: Path, tmp_path: Path, capsys: Capture
) -> None:
    from evalsuite.demo.formats import write_world

    write_world(tmp_path / "world", tasks=("qasper", "quality"), documents=3, questions=2)
    data, out = str(tmp_path / "world" / "length-512"), runs / "letter-a"
    before = _content(out)
    assert main(["run", "--model", "scripted:letter-a", "--data", data, "--out", str(out), *ASKED]) == 2
    (said,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert said.endswith(
        "was begun by an older evalsuite: it can be scored and compared, but not continued; choose another --out"
    )
    assert _content(out) == before


def test_predictions_are_not_read_into_one(runs: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "answers.jsonl").write_text('{"task": "qasper", "id": "x", "prediction": "y"}\n')
    before = _content(runs / "imported")
    line = ["score-predictions", str(tmp_path / "answers.jsonl"), "--suite", "plain", "--out", str(runs / "imported")]
    said = _said([*line, "--data", str(tmp_path)], capsys, 2)
    assert said.count("\n") == 1
    assert _content(runs / "imported") == before


def test_a_run_that_the_previous_release_did_not_end_is_incomplete(runs: Path, capsys: Capture) -> None:
    out = runs / "letter-a"
    for name in ("scores.jsonl", "cells.json"):
        (out / name).unlink()
    journal = (out / "completions.jsonl").read_bytes().splitlines(keepends=True)
    (out / "completions.jsonl").write_bytes(b"".join(journal[:-2]) + journal[-2][:40])
    assert "evalsuite score" in _said(["compare", str(out)], capsys, 2)
    assert "incomplete" in _said(["compare", str(runs)], capsys, 3)
    assert "2 failed or missing" in _said(["score", str(out)], capsys, 3)
    assert "2 failed or missing" in _said(["compare", str(out)], capsys, 3)


def test_every_file_is_read_into_values() -> None:
    first, second = open_runs([FIXTURE / "first-words", FIXTURE / "letter-a"])
    assert first.record.spec == RunSpec(
        "scripted:first-words",
        (
            Block(
                ("qasper", "quality"),
                shots=(0, 1),
                max_prompt_tokens=(2400, None),
                seeds=(7,),
                split={ALL: "validation", "quality": "train"},
                limit_documents={ALL: 2, "quality": 1},
            ),
        ),
        data="data",
    )
    assert second.model == "always A"
    assert len(first.requests) == 24
    assert sum(completion.error is not None for completion in first.completions.values()) == 1
    samples = [sample for found in first.samples.values() for sample in found.values()]
    assert len(samples) == 6
    assert all(sample.document.text for sample in samples)
    assert len(first.scores()) == 24
    assert set(first.cells()["task"]) == {"qasper", "quality"}


@pytest.mark.parametrize("name", NAMES)
def test_the_runs_tell_nothing_of_the_machine_they_were_made_on(name: str) -> None:
    record = Run.open(FIXTURE / name).record
    assert record.schema_version == 1
    assert not record.sealed
    assert record.hardware == {"machine": "x86_64", "system": "Linux", "cpus": "2"}
    assert record.commit == "2b079ac48adcf0eaa11086aadfa43f0ef4b7b03b"
    told = (FIXTURE / name / "run.json").read_text(encoding="utf-8")
    assert not any(place in told for place in ("/root", "/home", "/tmp", "/work"))  # noqa: S108 - looked for


SPELLINGS = {
    "5": {ALL: "5"},
    "qasper=2": {"qasper": "2"},
    "5,qasper=2": {ALL: "5", "qasper": "2"},
    "qasper=2,5": {ALL: "5", "qasper": "2"},
    "3,5": {ALL: "3"},
    "qasper=2,qasper=4": {"qasper": "4"},
    "lm-eval:gsm8k@8=2,7": {"lm-eval:gsm8k@8": "2", ALL: "7"},
}


def _older(**change: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((FIXTURE / "letter-a" / "run.json").read_text(encoding="utf-8"))
    return {**record, "spec": {**record["spec"], **change}}


def _read(record: Any, folder: Path) -> Block:
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (block,) = read_record(folder).spec.blocks
    return block


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_limits_and_splits_are_read_as_the_previous_release_read_them(spelled: str, tmp_path: Path) -> None:
    wanted = SPELLINGS[spelled]
    assert _read(_older(limit_documents=spelled), tmp_path).limit_documents == {k: int(v) for k, v in wanted.items()}
    assert _read(_older(split=spelled), tmp_path).split == wanted  # a split's name may be anything


def test_what_was_left_out_is_left_out(tmp_path: Path) -> None:
    block = _read(_older(split=None, limit_documents=None, seed=0), tmp_path)
    assert (block.split, block.limit_documents, block.seeds) == ({}, {}, (0,))
    assert _read(_older(lengths=[512, 1024], chat_template=True, protocol="paper"), tmp_path).lengths == (512, 1024)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limit_documents": "x"}, "limit_documents"),
        ({"limit_documents": "9" * 5000}, "limit_documents"),
        ({"limit_documents": 5}, "limit_documents"),
        ({"limit_documents": ["5"]}, "limit_documents"),
        ({"split": 5}, "split"),
        ({"split": ["validation"]}, "split"),
        ({"seed": "x"}, "seeds"),
        ({"seed": None}, "seeds"),
        ({"tasks": "qasper"}, "tasks"),
        ({"tasks": None}, "tasks"),
        ({"shots": {"a": 1}}, "shots"),
        ({"unheard": 1}, "unheard"),
        ({"model": None}, "model"),
    ],
)
def test_a_damaged_record_of_the_previous_release_is_one_line(
    change: dict[str, Any], field: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "run.json").write_text(json.dumps(_older(**change)))
    said = _said(["compare", str(tmp_path)], capsys, 2)
    assert said.count("\n") == 1
    assert f"{tmp_path / 'run.json'}: field 'spec" in said
    assert field in said


@pytest.mark.parametrize(
    "raw", ["[" * 100_000, '{"schema_version": 1, "spec": ' + "[" * 100_000, "nothing", "[1]", "1"]
)
def test_what_is_no_record_at_all_is_one_line(raw: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "run.json").write_text(raw)
    assert _said(["compare", str(tmp_path)], capsys, 2).count("\n") == 1


def test_records_of_this_version_and_what_is_none_stay_as_they_are() -> None:
    for raw in (
        b"",
        b"{",
        b"[1]",
        b'{"schema_version":2,"spec":{"tasks":[]}}',
        b'{"schema_version":1,"spec":{"blocks":[]}}',
    ):
        assert upgraded(raw) == raw
    assert upgraded(b"[" * 100_000) == b"[" * 100_000
