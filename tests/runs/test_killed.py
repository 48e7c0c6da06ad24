"""A run that is killed, interrupted or disturbed ends as if nothing had happened, or says clearly why it will not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from made import HELPERS, cells, environment, lines, toy_data, toy_rows, toy_run

from evalsuite.cli.main import main

SAME = ("samples.jsonl", "requests.jsonl", "scores.jsonl", "cells.json")
SETTINGS = ("--shots", "0,1", "--max-prompt-tokens", "300,800")
ASKED = 4 * 3 * 4
"""Four documents of three questions, two shots, two caps."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_data(tmp_path_factory.mktemp("data"), toy_rows())


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    assert main(toy_run(out, data, *SETTINGS)) == 0
    return out


def _answered(out: Path) -> int:
    journal = out / "completions.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


@contextmanager
def _started(out: Path, data: Path, *more: str, seconds: float = 0.05) -> Iterator[subprocess.Popen[str]]:
    """A slow run in a process group of its own."""
    begin = [sys.executable, str(HELPERS / "slow_run.py"), str(seconds), *toy_run(out, data, *more)]
    process = subprocess.Popen(
        begin, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _wait_for(out: Path, answered: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while _answered(out) < answered:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def _kill_at(answered: Sequence[int], out: Path, data: Path) -> None:
    for count in answered:
        with _started(out, data, *SETTINGS) as process:
            _wait_for(out, count, process)
            os.killpg(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL


def _assert_same(out: Path, undisturbed: Path) -> None:
    for name in SAME:
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert _answers(out) == _answers(undisturbed)


def _answers(out: Path) -> dict[str, object]:
    """The completions of lines whose checksum is right, read apart from the code that writes them."""
    found = {}
    for line in (out / "completions.jsonl").read_bytes().splitlines():
        check, body = line[10:26], line[41:-1]
        if sha256(body).hexdigest()[:16].encode() == check:
            found[json.loads(body)["key"]] = json.loads(body)
    assert found
    return found


def test_a_run_killed_again_and_again_equals_an_undisturbed_one(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    _kill_at((1, 7, 20), out, data)
    assert 20 <= _answered(out) < ASKED
    before = (out / "completions.jsonl").read_bytes()
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)
    assert (out / "completions.jsonl").read_bytes().startswith(before)


def test_nothing_that_was_answered_is_asked_again(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = _copy(undisturbed, tmp_path / "again")
    before = (out / "completions.jsonl").read_bytes()
    assert main(toy_run(out, data, *SETTINGS)) == 0
    assert (out / "completions.jsonl").read_bytes() == before


def _copy(folder: Path, to: Path) -> Path:
    from shutil import copytree

    return Path(copytree(folder, to))


@pytest.mark.parametrize("kept", [0, 1, 30, -1, -40])
def test_a_torn_last_line_of_the_journal_is_asked_again(
    data: Path, undisturbed: Path, tmp_path: Path, kept: int
) -> None:
    out = _copy(undisturbed, tmp_path / "torn")
    journal = out / "completions.jsonl"
    *whole, last = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(whole) + last[:kept])
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"text":"', b'"text":"X'), (b'"check":"', b'"check":"0'), (b"{", b""), (b'"', b"\xff\xfe")],
)
def test_a_damaged_line_in_the_middle_of_the_journal_is_asked_again(
    data: Path, undisturbed: Path, tmp_path: Path, old: bytes, new: bytes
) -> None:
    out = _copy(undisturbed, tmp_path / "damaged")
    journal = out / "completions.jsonl"
    stored = journal.read_bytes().splitlines(keepends=True)
    stored[10] = stored[10].replace(old, new, 1)
    journal.write_bytes(b"".join(stored))
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)
    assert _answered(out) == len(stored)


def test_a_torn_request_log_is_mended(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = _copy(undisturbed, tmp_path / "log")
    log = out / "requests.jsonl"
    log.write_bytes(log.read_bytes()[:-150])
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)


def test_a_run_killed_before_its_first_answer_begins_anew(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = _copy(undisturbed, tmp_path / "early")
    for name in ("run.json", "requests.jsonl", "completions.jsonl", "scores.jsonl", "cells.json"):
        (out / name).unlink()
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)


def _snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--max-prompt-tokens", "300"), "cells"),
        (("--shots", "0,2"), "cells"),
        (("--seed", "1"), "cells"),
        (("--strategy", "skip"), "cells"),
        (("--limit-documents", "2"), "questions of"),
        (("--max-new-tokens", "7"), "questions of"),
        (("--demo-documents", "placeholder"), "questions of"),
        (("--demo-draw", "sample"), "questions of"),
        (("--share-prefix", "aligned"), "questions of"),
        (("--chat-template",), "questions of"),
        (("--max-model-len", "5000"), "model maximum"),
        (("--model", "scripted:echo"), "model"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_overwritten(
    data: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, ...], said: str
) -> None:
    before = _snapshot(undisturbed)
    assert main(toy_run(undisturbed, data, *SETTINGS, *change)) == 2
    assert _snapshot(undisturbed) == before
    message = capsys.readouterr().err
    assert f"holds a run with other settings: {said}" in message
    assert "choose another --out" in message


def test_other_questions_in_the_data_are_refused_and_nothing_is_overwritten(
    undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = toy_rows()
    rows[0]["answers"] = ["changed"]
    before = _snapshot(undisturbed)
    assert main(toy_run(undisturbed, toy_data(tmp_path, rows), *SETTINGS)) == 2
    assert _snapshot(undisturbed) == before
    assert "questions of toy/validation/paper/0-shot" in capsys.readouterr().err


def test_an_engine_change_needs_a_word_and_is_recorded(
    data: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from evalsuite.engines import scripted

    load = scripted.load

    def newer(*args: object, **named: object) -> scripted.ScriptedEngine:
        engine = load(*args, **named)
        engine.info = replace(engine.info, version="2")
        return engine

    monkeypatch.setattr(scripted, "load", newer)
    out = _copy(undisturbed, tmp_path / "changed")
    before = _snapshot(out)
    assert main(toy_run(out, data, *SETTINGS)) == 2
    assert "begun on scripted 1, this is scripted 2; add --allow-engine-change" in capsys.readouterr().err
    assert _snapshot(out) == before
    assert main(toy_run(out, data, *SETTINGS, "--allow-engine-change")) == 0
    assert main(toy_run(out, data, *SETTINGS)) == 0
    record = json.loads((out / "run.json").read_text())
    assert [info["version"] for info in (record["engine"], *record["engine_changes"])] == ["1", "2"]


def test_a_second_process_is_refused_with_the_owners_pid(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "owned"
    with _started(out, data, *SETTINGS, seconds=0.2) as owner:
        _wait_for(out, 1, owner)
        with _started(out, data, *SETTINGS) as second:
            _, said = second.communicate(timeout=60)
        assert second.returncode == 2
        assert f"in use by process {owner.pid}" in said
        assert owner.poll() is None
        os.killpg(owner.pid, signal.SIGKILL)
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)


def test_a_held_directory_is_refused_and_nothing_in_it_is_touched(
    data: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from evalsuite.runs.directory.journal import lock

    with lock(undisturbed):
        before = _snapshot(undisturbed)
        assert main(toy_run(undisturbed, data, *SETTINGS)) == 2
        assert _snapshot(undisturbed) == before
    assert f"in use by process {os.getpid()}; wait for it" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_what_was_begun_and_says_how_to_go_on(
    data: Path, undisturbed: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "interrupted"
    with _started(out, data, *SETTINGS) as process:
        _wait_for(out, 3, process)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"of {ASKED}; the same command goes on from there" in said
    assert "Traceback" not in said
    assert _answered(out) % 3 == 0
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)


def test_two_interrupts_end_it_at_once(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "twice"
    with _started(out, data, *SETTINGS, seconds=1.0) as process:
        _wait_for(out, 1, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, said = process.communicate(timeout=60)
    assert time.monotonic() - begun < 5
    assert process.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said


def test_a_run_whose_last_answer_came_with_the_interrupt_is_finished(
    data: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalsuite.engines import scripted

    quick, left = scripted.SCRIPTS["first-words"], [ASKED]

    def interrupting(prompt: str) -> str:
        left[0] -= 1
        if left[0] == ASKED - len(lines(undisturbed / "completions.jsonl")):
            signal.raise_signal(signal.SIGINT)
        return quick(prompt)

    monkeypatch.setattr(scripted, "SCRIPTS", {**scripted.SCRIPTS, "first-words": interrupting})
    out = tmp_path / "last"
    assert main(toy_run(out, data, *SETTINGS)) == 0
    _assert_same(out, undisturbed)
    assert sum(cell["asked"] for cell in cells(out) if cell["primary"]) == ASKED
