"""What a run directory holds is what was written, or a line says which file is not."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copyfile, copytree

import pytest
from made import TOY, cells, lines, row, sealed_again, toy_data, toy_rows, toy_run, without_seals

from evalsuite import shared_files
from evalsuite.cli.main import main
from evalsuite.engines import scripted
from evalsuite.interfaces import Encoding
from evalsuite.plugins import find_tasks
from evalsuite.runs import record as record_module
from evalsuite.runs.directory.store import read_record, write_record
from evalsuite.runs.scored import score_folder
from evalsuite.shared_files import write_atomic

Capture = pytest.CaptureFixture[str]
SETTINGS = ("--shots", "0,1")
TASKS = find_tasks([str(TOY)])
SCORE = ("--include-path", str(TOY))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_data(tmp_path_factory.mktemp("data"), toy_rows(2, 3))


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert main(toy_run(out, data, *SETTINGS)) == 0
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(copytree(finished, tmp_path / "run"))


@pytest.fixture
def killed(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run ended at once while its fifth answer was made."""
    quick, left = scripted.SCRIPTS["first-words"], [5]

    def ended(prompt: str) -> str:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return quick(prompt)

    with monkeypatch.context() as patch:
        patch.setattr(scripted, "SCRIPTS", {**scripted.SCRIPTS, "first-words": ended})
        assert main(toy_run(tmp_path / "killed", data, *SETTINGS)) == 130
    return tmp_path / "killed"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _drop(path: Path, *numbers: int) -> None:
    kept = [line for at, line in enumerate(path.read_text().splitlines(keepends=True)) if at not in numbers]
    path.write_text("".join(kept))


def _said(arguments: list[str], capsys: Capture, code: int = 2) -> str:
    capsys.readouterr()
    assert main(arguments) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


def test_the_record_holds_count_and_checksum_of_every_file(finished: Path) -> None:
    from hashlib import sha256

    names = ("samples.jsonl", "requests.jsonl", "completions.jsonl", "scores.jsonl", "cells.json")
    content = {name: (finished / name).read_bytes() for name in names}
    assert {name: (seal.lines, seal.sha256) for name, seal in read_record(finished).sealed.items()} == {
        name: (raw.count(b"\n"), sha256(raw).hexdigest()) for name, raw in content.items()
    }


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("samples.jsonl", "answer 0", "answer 1"),
        ("samples.jsonl", '"document_id":"d0"', '"document_id":"d1"'),
        ("requests.jsonl", '"tokens_kept":', '"tokens_kept":1'),
        ("completions.jsonl", '"text":"', '"text":"X'),
        ("run.json", '"seed":0', '"seed":1'),
    ],
)
@pytest.mark.parametrize("state", ["run", "killed"])
def test_an_edited_file_is_refused_by_name(
    state: str, name: str, old: str, new: str, request: pytest.FixtureRequest, capsys: Capture
) -> None:
    out: Path = request.getfixturevalue(state)
    _edit(out / name, old, new)
    assert name in _said(["score", str(out), *SCORE], capsys)
    assert name in _said(["compare", str(out)], capsys)
    asked = ("--suite", "zeroscrolls", "--split", "validation")
    assert name in _said(["submission", str(out), "--out", str(out / "x.csv"), *asked], capsys)


def test_deleted_answers_do_not_raise_a_score(run: Path, capsys: Capture) -> None:
    _drop(run / "samples.jsonl", 0)
    assert "samples.jsonl was changed since it was written (5 lines, 6 were written)" in _said(
        ["score", str(run), *SCORE], capsys
    )
    _drop(run / "requests.jsonl", 0, 3)
    assert "samples.jsonl" in _said(["score", str(run), *SCORE], capsys)


def test_a_journal_that_lost_a_line_is_refused_and_mended_by_its_run(
    run: Path, finished: Path, data: Path, capsys: Capture
) -> None:
    _drop(run / "completions.jsonl", 3)
    for arguments in (["score", str(run), *SCORE], ["compare", str(run)]):
        assert "completions.jsonl was changed since it was written (11 lines, 12 were" in _said(arguments, capsys)
    assert main(toy_run(run, data, *SETTINGS)) == 0
    assert cells(run) == cells(finished)


def test_deleted_answers_of_a_killed_run_leave_it_incomplete(killed: Path, capsys: Capture) -> None:
    _drop(killed / "requests.jsonl", 0)
    _drop(killed / "completions.jsonl", 0)
    _said(["score", str(killed), *SCORE], capsys, 3)
    assert {cell["value"] for cell in cells(killed)} == {None}


def test_a_document_is_the_one_its_name_stands_for(run: Path, data: Path, capsys: Capture) -> None:
    first, second = sorted((run / "documents").iterdir())
    copyfile(first, second)
    for arguments in (["score", str(run), *SCORE], toy_run(run, data, *SETTINGS)):
        assert f"{second.name}: damaged: its text is not the one its name stands for" in _said(arguments, capsys)


def test_a_document_that_claims_any_size_is_damaged(run: Path, capsys: Capture) -> None:
    document = min((run / "documents").iterdir())
    document.write_bytes(b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 7 + b"\x3f" + document.read_bytes()[6:])
    assert f"{document.name}: damaged" in _said(["score", str(run), *SCORE], capsys)


@pytest.mark.parametrize("state", ["run", "killed"])
def test_a_resume_holds_samples_against_the_data(
    state: str, request: pytest.FixtureRequest, data: Path, capsys: Capture
) -> None:
    out: Path = request.getfixturevalue(state)
    _edit(out / "samples.jsonl", "answer 0", "answer 1")
    assert "samples.jsonl was changed" in _said(toy_run(out, data, *SETTINGS), capsys)
    sealed_again(out)
    assert "samples.jsonl: sample q0 is not the one that the data holds" in _said(toy_run(out, data, *SETTINGS), capsys)


def test_marked_evidence_that_changed_in_the_data_is_noticed(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run"
    assert main(toy_run(out, toy_data(tmp_path / "a", [row(0, 0, "some text", evidence=[[0, 4]])]))) == 0
    other = toy_data(tmp_path / "b", [row(0, 0, "some text", evidence=[[5, 9]])])
    assert "sample q0 is not the one that the data holds" in _said(toy_run(out, other), capsys)


def test_questions_edited_with_their_seals_are_not_those_that_were_asked(run: Path, capsys: Capture) -> None:
    _edit(run / "samples.jsonl", "answer 0", "answer 1")
    sealed_again(run)
    said = _said(["score", str(run), *SCORE], capsys)
    assert "samples.jsonl: the questions of toy/validation/paper/0-shot" in said
    assert "not those that run.json says were asked" in said


def test_a_task_of_another_version_scores_and_the_runs_are_no_longer_comparable(
    run: Path, finished: Path, tmp_path: Path, capsys: Capture
) -> None:
    other = Path(copytree(run, tmp_path / "other"))
    record = read_record(other)
    named = replace(record.spec, model_name="other")
    write_record(other, replace(record, spec=named, task_versions={"toy": 0}, question_identity={}))
    asked = {setting.key: "asked under version 0" for setting in record.settings}
    write_record(other, replace(read_record(other), question_identity=asked))
    score_folder(other, TASKS)
    assert read_record(other).rescored_identity == read_record(finished).question_identity
    said = _said(["compare", str(run), str(other)], capsys, 4)
    assert "not comparable: toy/validation/paper/0-shot" in said
    assert "another version than when it was asked" in said


def test_scoring_again_keeps_what_was_asked_and_says_how_it_was_scored(run: Path) -> None:
    task = TASKS["toy"]
    metrics = tuple(replace(metric, version=metric.version + metric.primary) for metric in task.metrics)
    asked = read_record(run)
    (primary,) = (metric.name for metric in task.metrics if metric.primary)
    score_folder(run, {"toy": replace(task, metrics=metrics)})
    again = read_record(run)
    assert again.scoring is not None
    assert again.scoring.metric_versions[f"toy/{primary}"] == 2
    assert again.metric_versions[f"toy/{primary}"] == 1
    assert again.question_identity == asked.question_identity
    assert set(again.rescored_identity) == set(asked.question_identity)
    score_folder(run, TASKS)
    assert read_record(run).rescored_identity == {}


@pytest.mark.parametrize("state", ["run", "killed"])
def test_a_run_of_before_seals_is_read_said_to_have_none_and_not_gone_on_with(
    state: str, request: pytest.FixtureRequest, finished: Path, data: Path, capsys: Capture
) -> None:
    out: Path = request.getfixturevalue(state)
    without_seals(out)
    said = _said(["score", str(out), *SCORE], capsys, 0 if state == "run" else 3)
    assert "is unsealed" in said
    assert "is unsealed" in _said(["compare", str(out)], capsys, 0 if state == "run" else 3)
    assert "can be scored and compared, but not continued" in _said(toy_run(out, data, *SETTINGS), capsys)
    assert state == "killed" or cells(out) == cells(finished)


def test_a_request_line_without_its_check_is_damaged(killed: Path, data: Path, capsys: Capture) -> None:
    stored = lines(killed / "requests.jsonl")
    bare = [json.dumps({name: value for name, value in one.items() if name != "check"}) for one in stored]
    (killed / "requests.jsonl").write_text("".join(line + "\n" for line in bare))
    assert "requests.jsonl:1: the line is damaged" in _said(["score", str(killed), *SCORE], capsys)
    assert "requests.jsonl:1: the line is damaged" in _said(toy_run(killed, data, *SETTINGS), capsys)


def test_a_torn_line_of_a_killed_run_is_no_damage(killed: Path, finished: Path, data: Path, capsys: Capture) -> None:
    for name in ("requests.jsonl", "completions.jsonl"):
        (killed / name).write_bytes((killed / name).read_bytes()[:-9])
    _said(["score", str(killed), *SCORE], capsys, 3)
    assert main(toy_run(killed, data, *SETTINGS)) == 0
    assert cells(killed) == cells(finished)


def test_requests_behind_those_of_the_plan_are_refused(run: Path, data: Path, capsys: Capture) -> None:
    path = run / "requests.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0])
    assert "requests.jsonl holds more requests than the run asks" in _said(toy_run(run, data, *SETTINGS), capsys)


def _loaded(change: Callable[[scripted.ScriptedEngine], None], patch: pytest.MonkeyPatch) -> None:
    load = scripted.load

    def changed(*args: object, **named: object) -> scripted.ScriptedEngine:
        engine = load(*args, **named)  # type: ignore[arg-type]
        change(engine)
        return engine

    patch.setattr(scripted, "load", changed)


def test_a_tokenizer_changed_behind_a_resume_is_refused(
    run: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def other(engine: scripted.ScriptedEngine) -> None:
        engine.info = replace(engine.info, tokenizer="another")

    _loaded(other, monkeypatch)
    assert "holds a run with other settings: tokenizer differ" in _said(toy_run(run, data, *SETTINGS), capsys)


@pytest.mark.parametrize("state", ["run", "killed"])
def test_a_request_changed_behind_a_resume_is_refused(
    state: str, request: pytest.FixtureRequest, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    out: Path = request.getfixturevalue(state)
    before = (out / "completions.jsonl").read_bytes()

    class Shifted(scripted.CharacterTokenizer):
        def encode_literal(self, text: str) -> Encoding:
            made = super().encode_literal(text)
            return replace(made, ids=tuple(one + 1 for one in made.ids))

    def other(engine: scripted.ScriptedEngine) -> None:
        engine.tokenizer = Shifted()

    _loaded(other, monkeypatch)
    assert "differs from the one recorded when the run began" in _said(toy_run(out, data, *SETTINGS), capsys)
    assert (out / "completions.jsonl").read_bytes() == before


def test_an_answer_no_schema_can_read_is_a_damaged_line_and_asked_again(
    run: Path, finished: Path, data: Path, capsys: Capture
) -> None:
    from evalsuite.runs.directory.journal import _wrap

    journal = run / "completions.jsonl"
    stored = journal.read_bytes().splitlines(keepends=True)
    body = json.loads(stored[1])["completion"] | {"options": [{"logprob": None, "tokens": 1, "greedy": False}]}
    stored[1] = _wrap(json.dumps(body))
    journal.write_bytes(b"".join(stored))
    assert "completions.jsonl:2: the line is damaged" in _said(["score", str(run), *SCORE], capsys)
    assert "damaged lines were left out" in _said(toy_run(run, data, *SETTINGS), capsys, 0)
    assert cells(run) == cells(finished)


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_of_a_file_that_is_replaced_reads_the_old_one_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    with path.open("rb") as reader:
        write_atomic(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_scoring_at_the_same_time_is_no_failure(run: Path) -> None:
    failures: list[BaseException] = []

    def score() -> None:
        try:
            for _ in range(4):
                score_folder(run, TASKS)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=score) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert main(["compare", str(run)]) == 0


def test_a_run_in_progress_is_not_scored(run: Path, capsys: Capture) -> None:
    from evalsuite.runs.directory.journal import lock

    with lock(run):
        assert "is in use by process" in _said(["score", str(run), *SCORE], capsys)


def test_an_unfinished_run_of_a_folder_is_shown_as_incomplete(killed: Path, finished: Path, capsys: Capture) -> None:
    named = Path(copytree(finished, killed.parent / "finished"))
    record = read_record(named)
    write_record(named, replace(record, spec=replace(record.spec, model_name="other")))
    score_folder(named, TASKS)
    capsys.readouterr()
    assert main(["compare", str(killed.parent)]) == 3
    said = capsys.readouterr()
    assert f"{killed} is unfinished, 4 answers so far" in said.err
    assert "incomplete" in said.out
    assert main(["compare", str(killed.parent), "--format", "json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert {(cell["model"], cell["complete"]) for cell in found} == {("first-words", False), ("other", True)}
    (killed / "cells.json").unlink()
    record = read_record(killed)
    write_record(killed, replace(record, sealed={"samples.jsonl": record.sealed["samples.jsonl"]}))
    assert main(["compare", str(killed.parent)]) == 3
    assert f"{killed} has no scores yet" in capsys.readouterr().err


def test_the_exit_code_of_several_runs_is_that_of_the_worst(killed: Path, finished: Path, capsys: Capture) -> None:
    copytree(finished, killed.parent / "a")
    copytree(finished, killed.parent / "z")
    capsys.readouterr()
    assert main(["score", str(killed.parent), *SCORE]) == 3


def test_an_equal_prompt_of_a_fresh_run_was_not_known_before(tmp_path: Path, capsys: Capture) -> None:
    same = [row(n, n, "text", question="Who?") for n in range(3)]
    out, data = tmp_path / "run", toy_data(tmp_path, same)
    assert "known before" not in _said(toy_run(out, data), capsys, 0)
    assert len(lines(out / "completions.jsonl")) == 1
    assert "3 of them known before" in _said(toy_run(out, data), capsys, 0)


def test_a_changed_checkout_is_recorded_as_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    file = tmp_path / "evalsuite" / "runs" / "record.py"
    file.parent.mkdir(parents=True)
    file.write_text("clean\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "all")
    monkeypatch.setattr(record_module, "__file__", str(file))
    clean = record_module.commit()
    assert clean is not None
    assert len(clean) == 40
    file.write_text("changed\n")
    assert record_module.commit() == f"{clean}+dirty"
