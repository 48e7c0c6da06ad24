"""What a run says on the way and at its end: progress, a log file, more with -v, less with -q."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made import evalsuite, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main
from evalsuite.cli.progress import summary
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.runs.execute import Outcome, Usage
from evalsuite.types import Completion, Request

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "data", toy_rows(2, 2))


def test_a_run_ends_with_what_it_took_and_where_it_is(data: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(toy_run(tmp_path / "out", data)) == 0
    last = capsys.readouterr().err.splitlines()[-2:]
    assert re.fullmatch(
        r"asked in [\d.]+ s: [\d,]{4,} prompt tokens \(0% of them reused from a shared prefix\), \d+ answer tokens",
        last[0],
    )
    assert last[1] == f"results in {tmp_path / 'out'}; show them again: evalsuite compare {tmp_path / 'out'}"


def test_the_summary_names_reuse_and_cost_where_they_are_known() -> None:
    outcome = Outcome(4, 4, 0, interrupted=False, usage=Usage(2000, 1500, 10))
    assert summary(outcome, 75.4, 0.25) == (
        "asked in 75 s: 2,000 prompt tokens (75% of them reused from a shared prefix), 10 answer tokens; cost 0.25"
    )
    assert summary(Outcome(4, 4, 0, interrupted=False), 7500, None) == (
        "asked in 2 h 5 min: 0 prompt tokens, 0 answer tokens"
    )


def test_a_log_file_holds_it_all_with_times(data: Path, tmp_path: Path, capsys: Capture) -> None:
    log = tmp_path / "run.log"
    for out in ("one", "two"):
        assert main(toy_run(tmp_path / out, data, "--log-file", log)) == 0
    told = capsys.readouterr().err.splitlines()
    text = log.read_text()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|DEBUG) ", line) for line in text.splitlines())
    for line in told:
        assert line in text
    assert text.count("DEBUG asking 2 of 2 prompts about ") == 4, "two documents in each of two runs, appended"


def test_verbose_says_more_and_quiet_says_nothing(data: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(toy_run(tmp_path / "v", data, "-v")) == 0
    assert "asking 2 of 2 prompts about q0" in capsys.readouterr().err
    assert main(toy_run(tmp_path / "q", data, "-q")) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "toy (f1, validation)" in said.out
    assert main(toy_run(tmp_path / "q", data, "-q", "--shots", "1")) == 2
    assert capsys.readouterr().err.startswith("evalsuite: ")


def test_a_failed_request_is_in_the_log(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: ScriptedEngine, request: Request) -> Completion:
        return Completion(request.key, error="no\x1b[31m luck")

    monkeypatch.setattr(ScriptedEngine, "_complete", fails)
    log = tmp_path / "run.log"
    assert main(toy_run(tmp_path / "out", data, "--log-file", log)) == 3
    assert len(re.findall(r"DEBUG failed: toy/\S+/q\d: no\?\[31m luck", log.read_text())) == 4


def test_quiet_and_verbose_exclude_each_other(data: Path, tmp_path: Path) -> None:
    done = evalsuite(*toy_run(tmp_path / "out", data, "-q", "-v"))
    assert done.returncode == 2
    assert "not allowed with" in done.stderr


@pytest.mark.parametrize("file", ["", "nowhere/at/all.log", "."])
def test_a_log_that_cannot_be_written_is_one_line(data: Path, tmp_path: Path, file: str) -> None:
    done = evalsuite(*toy_run(tmp_path / "out", data, "--log-file", file))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
