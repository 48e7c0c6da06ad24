"""What scoring other people's answers assumed is said on the terminal; a run's record has its times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made import TOY, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main

Capture = pytest.CaptureFixture[str]


def _leval(path: Path, count: int) -> Path:
    lines = [
        {"query": f"Question {i}?", "gt": "A", "m_pred": "A", "evaluation": "exam"} for i in range(count)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_lines_taken_for_documents_of_their_own_are_told(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    file = _leval(tmp_path / "tpo.pred.jsonl", 3)
    assert main(["score-predictions", str(file), "--suite", "leval", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert "note: leval_tpo: questions and golds are those of tpo.pred.jsonl (the data is not there)" in said
    assert "every line counts as a document of its own" in said
    assert "prompts, cuts, decoding and tokens are unknown" in said


def test_missing_answers_are_told(tmp_path: Path, capsys: Capture) -> None:
    data = toy_data(tmp_path / "data", toy_rows(2, 2))
    (tmp_path / "p.jsonl").write_text('{"task": "toy", "id": "q0", "prediction": "b"}\n')
    asked = ["score-predictions", str(tmp_path / "p.jsonl"), "--suite", "plain", "--include-path", str(TOY)]
    assert main([*asked, "--data", str(data), "--out", str(tmp_path / "out")]) == 3
    assert "note: toy: 3 of 4 predictions are missing" in capsys.readouterr().err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["begun"] == record["ended"] is not None


def _times(out: Path) -> tuple[str, str | None]:
    record = json.loads((out / "run.json").read_text())
    return record["begun"], record["ended"]


def test_a_run_has_begin_and_end_and_they_change_no_resume(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = toy_data(tmp_path / "data", toy_rows(2, 2)), tmp_path / "out"
    before = datetime.now(UTC).isoformat(timespec="seconds")
    assert main(toy_run(out, data)) == 0
    begun, ended = _times(out)
    assert ended is not None
    assert before <= begun <= ended <= datetime.now(UTC).isoformat(timespec="seconds")
    sealed = {path.name: path.read_bytes() for path in out.glob("*.json*")}
    monkeypatch.setattr("evalsuite.runs.directory.resume.timestamp", lambda: "2099-01-01T00:00:00+00:00")
    monkeypatch.setattr("evalsuite.runs.record.timestamp", lambda: "2099-01-01T00:00:00+00:00")
    assert main(toy_run(out, data)) == 0
    assert {path.name: path.read_bytes() for path in out.glob("*.json*")} == sealed, (
        "nothing was asked, nothing changes"
    )
    journal = out / "completions.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    assert main(toy_run(out, data)) == 0
    assert _times(out) == (begun, "2099-01-01T00:00:00+00:00")
    del capsys


def test_the_date_of_a_chat_is_in_the_record(tmp_path: Path) -> None:
    from tiny import CHAT, save_model

    data = toy_data(tmp_path / "data", toy_rows(1, 1))
    model = save_model(tmp_path / "model")
    for template, date in (("{{ strftime_now('%Y') }}" + CHAT, "2024-07-26"), (CHAT, None)):
        (model / "chat_template.jinja").write_text(template)
        out = tmp_path / f"out-{date}"
        asked = toy_run(out, data, "--chat-template", "--max-new-tokens", "2", model=f"hf:{model}")
        assert main(asked) == 0
        assert json.loads((out / "run.json").read_text())["template_dates"] == [date]


def test_help_names_the_environment(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for name in ("EVALSUITE_DATA", "EVALSUITE_MIRROR", "EVALSUITE_CACHE"):
        assert name in said
