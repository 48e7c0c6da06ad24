"""Bad input: one clear line on stderr, exit code 2, nothing written and nothing overwritten."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from made import TOY, cells, environment, evalsuite, row, toy_data, toy_rows, toy_run

from evalsuite.cli.main import COMMANDS, main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_data_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "data", toy_rows(2, 2))


def _refused(arguments: list[str], capsys: Capture, out: Path | None = None) -> str:
    """The one line a refusal says."""
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    told = [line for line in said.err.strip().splitlines() if not line.startswith(("note: ", "usage:", "   "))]
    assert len(told) == 1, said.err
    assert out is None or not out.exists()
    return told[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--tasks", "toi"), "unknown task 'toi'; did you mean toy"),
        (("--tasks", "qaspar,toy"), "unknown task 'qaspar'; did you mean qasper?"),
        (("--tasks", "zzzz"), "unknown task 'zzzz'; known: "),
        (("--tasks", "lama2-long"), "did you mean llama2-long?"),
        (("--tasks", ","), "expected one or more names"),
        (("--model", "hff:x"), "unknown model scheme 'hff'; did you mean hf?"),
        (("--model", "gpt2"), "--model gpt2: say how to load it, e.g. hf:gpt2; schemes: hf, vllm"),
        (("--model", "scripted:"), "the model's name or path is missing"),
        (("--model", "scripted:ecko"), "unknown script 'ecko'; did you mean echo?"),
        (("--model", "scripted:echo,dtype"), "'dtype' is not key=value"),
        (("--model", "scripted:echo,dtype=float16"), "scripted models take no options; got: dtype"),
        (("--protocol", "papr"), "task 'toy' has no protocol 'papr'; it has: paper, options"),
        (("--split", "dev"), "task toy has no split 'dev'; it has: train, validation"),
        (("--strategy", "rigth"), "unknown strategy 'rigth'; known: left, document-left"),
        (("--strategy", "official"), "there is no official cut"),
        (("--shots", "0,0"), "expected different numbers"),
        (("--shots", "-1"), "expected "),
        (("--shots", "x"), "expected whole numbers"),
        (("--shots", "5"), "5 demonstrations asked for sample q0, but only 1 other documents"),
        (("--max-prompt-tokens", "0"), "expected a whole number of at least 1"),
        (("--max-prompt-tokens", "100,100"), "each once"),
        (("--max-prompt-tokens", "model,model"), "each once"),
        (("--max-prompt-tokens", "10"), "task toy: sample q0: the parts that a 'left' cut must keep have"),
        (("--max-new-tokens", "99999999"), "no room for a prompt"),
        (("--max-model-len", "20"), "no room for a prompt"),
        (("--limit-documents", "0"), "expected a whole number of at least 1"),
        (("--data", "/nowhere/at/all"), "data folder /nowhere/at/all does not exist"),
        (("--include-path", "/nowhere/at/all"), "--include-path /nowhere/at/all: no such folder"),
        (("--lengths", "4096"), "length-4096"),
        (("--tas", "toy"), "unrecognized arguments"),
    ],
)
def test_a_run_with_a_wrong_option_says_what_is_wrong(
    data: Path, tmp_path: Path, capsys: Capture, change: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "out"
    assert said in _refused(toy_run(out, data, *change), capsys, out)


@pytest.mark.parametrize("task", ["narrativeqa", "qasper", "quality", "qmsum"])
def test_missing_data_says_what_to_get_from_where_and_where_to_put_it(
    tmp_path: Path, capsys: Capture, task: str
) -> None:
    command = [
        "run",
        "--model",
        "scripted:echo",
        "--tasks",
        task,
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "o"),
    ]
    said = _refused(command, capsys, tmp_path / "o")
    assert re.search(r"Get \S+", said)
    assert "https://" in said
    assert f"put it below {tmp_path}" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "q0", "document": "d", "text": "nul \\u0000", "question": "?", "answers": ["a"]}', "NUL"),
        ('{"id": "q0", "document": "d", "text": "half \\ud800", "question": "?", "answers": ["a"]}', "surrogate"),
        ('{"id": "q0", "document": "d", "text": 5, "question": "?", "answers": ["a"]}', "'text'"),
        ('{"id": "q0", "document": "d", "question": "?", "answers": ["a"]}', "'text'"),
        ('{"id": "q0", "document": "d", "text": "t", "question": "?", "answers": "a"}', "'answers'"),
        ('{"id": "q0", ', "JSON"),
        ("[1, 2]", "object"),
        ("\ufeff\x1b[31m{}", "validation.jsonl:2"),
    ],
)
def test_a_damaged_row_is_named_by_file_line_and_field(tmp_path: Path, capsys: Capture, line: str, said: str) -> None:
    import json

    file = tmp_path / "toy" / "validation.jsonl"
    file.parent.mkdir()
    file.write_text(json.dumps(row(7, 7, "fine")) + "\n" + line + "\n", encoding="utf-8")
    told = _refused(toy_run(tmp_path / "out", tmp_path), capsys, tmp_path / "out")
    assert "validation.jsonl:2" in told
    assert said.lower() in told.lower()
    assert "\x1b" not in told


def test_bytes_that_are_no_utf8_are_named_by_file(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "toy" / "validation.jsonl"
    file.parent.mkdir()
    file.write_bytes(b'{"id": "\xff\xfe"}\n')
    assert "validation.jsonl" in _refused(toy_run(tmp_path / "out", tmp_path), capsys, tmp_path / "out")


def test_two_samples_of_one_name_are_refused(tmp_path: Path, capsys: Capture) -> None:
    data = toy_data(tmp_path, [row(0, 0, "a"), row(0, 1, "b")])
    assert "two samples are called 'q0'" in _refused(toy_run(tmp_path / "out", data), capsys, tmp_path / "out")


def test_data_without_any_text_is_refused(tmp_path: Path, capsys: Capture) -> None:
    data = toy_data(tmp_path, [row(0, 0, ""), row(1, 1, "")])
    assert "no document with text is left" in _refused(toy_run(tmp_path / "out", data), capsys, tmp_path / "out")


def test_an_out_that_is_a_file_is_refused_and_kept(data: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "results"
    out.write_text("precious")
    assert "cannot be a run directory" in _refused(toy_run(out, data), capsys)
    assert out.read_text() == "precious"
    assert "cannot be a run directory" in _refused(toy_run(out / "below", data), capsys)


def test_a_folder_with_files_of_another_kind_is_not_written_over(data: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "requests.jsonl").write_text("precious\n")
    said = _refused(toy_run(out, data), capsys)
    assert "requests.jsonl" in said
    assert (out / "requests.jsonl").read_text() == "precious\n"


@pytest.mark.parametrize(
    "change",
    [
        ("--split", "quasper=train"),
        ("--split", "toy="),
        ("--limit-documents", "qasper=3"),
        ("--limit-documents", "toy="),
        ("--limit-documents", "2,"),
    ],
)
def test_a_name_nothing_answers_to_is_refused(
    data: Path, tmp_path: Path, capsys: Capture, change: tuple[str, str]
) -> None:
    said = _refused(toy_run(tmp_path / "out", data, *change), capsys, tmp_path / "out")
    assert f"{change[0]} {change[1]}: " in said
    assert "toy" in said or "TASK=VALUE" in said


def test_predictions_go_into_no_folder_of_other_files(data: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "p.jsonl").write_text('{"task": "toy", "id": "q0", "prediction": "b"}\n')
    fixed = ["score-predictions", str(tmp_path / "p.jsonl"), "--suite", "plain", "--include-path", str(TOY)]
    fixed += ["--data", str(data), "--out"]
    out = tmp_path / "mine"
    out.mkdir()
    (out / "completions.jsonl").write_text("precious\n")
    assert "not a run of evalsuite" in _refused([*fixed, str(out)], capsys)
    assert (out / "completions.jsonl").read_text() == "precious\n"
    (tmp_path / "file").write_text("precious")
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        assert "cannot be a run directory" in _refused([*fixed, str(taken)], capsys)
    assert main([*fixed, str(tmp_path / "out")]) == 3, "the other samples have no prediction"


@pytest.mark.parametrize("content", ["", "\n\n", "{}"])
def test_predictions_that_are_none_are_refused(tmp_path: Path, capsys: Capture, content: str) -> None:
    (tmp_path / "p.jsonl").write_text(content)
    fixed = ["score-predictions", str(tmp_path / "p.jsonl"), "--suite", "plain", "--out", str(tmp_path / "out")]
    assert str(tmp_path / "p.jsonl") in _refused(fixed, capsys, tmp_path / "out")


@pytest.mark.parametrize("content", ["[" * 200_000, '{"a": ' + "1" * 5000 + "}"])
def test_json_that_is_no_data_is_refused(tmp_path: Path, capsys: Capture, content: str) -> None:
    (tmp_path / "qasper.json").write_text(content)
    fixed = ["score-predictions", str(tmp_path / "qasper.json"), "--suite", "scrolls", "--out", str(tmp_path / "out")]
    assert "qasper.json" in _refused(fixed, capsys, tmp_path / "out")


@pytest.mark.parametrize("what", ["list", "verify"])
def test_a_data_folder_that_is_not_there_is_not_verified(tmp_path: Path, capsys: Capture, what: str) -> None:
    assert "does not exist" in _refused(["data", what, "qmsum", "--data", str(tmp_path / "nope")], capsys)


def test_another_order_of_cells_says_so(data: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(toy_run(tmp_path / "out", data, "--max-prompt-tokens", "300,800")) == 0
    capsys.readouterr()
    assert "the order of tasks" in _refused(toy_run(tmp_path / "out", data, "--max-prompt-tokens", "800,300"), capsys)


def test_a_finished_run_takes_another_name_of_its_model(data: Path, tmp_path: Path, capsys: Capture) -> None:
    for name in ("first", "second"):
        assert main(toy_run(tmp_path / "out", data, "--model-name", name)) == 0
    said = capsys.readouterr()
    assert "4/4 done, 4 of them known before" in said.err
    assert {cell["model"] for cell in cells(tmp_path / "out")} == {"second"}


def test_a_skipped_sample_was_not_known_before(data: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(toy_run(tmp_path / "out", data, "--strategy", "skip", "--max-prompt-tokens", "400")) == 0
    assert "known before" not in capsys.readouterr().err


def test_a_score_of_a_task_that_is_not_installed_asks_for_its_folder(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(toy_run(tmp_path / "out", data)) == 0
    capsys.readouterr()
    assert "give its --include-path" in _refused(["score", str(tmp_path / "out")], capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sample", "q33"), "unknown sample 'q33'; did you mean q3?"),
        (("--shots", "-1"), "expected a whole number of at least 0"),
        (("--shots", "9"), "9 demonstrations asked"),
        (("--max-prompt-tokens", "3"), "cut must keep"),
        (("--strategy", "error", "--max-prompt-tokens", "50"), "sample q0: the prompt has"),
    ],
)
def test_prompts_says_what_is_wrong(data: Path, capsys: Capture, arguments: tuple[str, ...], said: str) -> None:
    fixed = ["prompts", "toy", "--include-path", str(TOY), "--model", "scripted:echo", "--data", str(data)]
    assert said in _refused([*fixed, *arguments], capsys)


def test_a_broken_plug_in_is_named(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine").mkdir()
    for code, said in (
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("TASKS = [1]", "must end in TASKS = (...)"),
        ("1 / 0", "division by zero"),
    ):
        (tmp_path / "mine" / "task.py").write_text(code)
        found = evalsuite("tasks", "--include-path", tmp_path)
        assert found.returncode == 2
        assert said in found.stderr
        assert "Traceback" not in found.stderr
        assert len(found.stderr.strip().splitlines()) == 1
    del capsys


def test_a_plug_in_that_takes_a_name_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    source = (TOY / "toy" / "task.py").read_text().replace('name="toy"', 'name="qasper"')
    (tmp_path / "mine" / "task.py").write_text(source)
    found = evalsuite("tasks", "--include-path", tmp_path)
    assert found.returncode == 2
    assert "two tasks are called 'qasper'" in found.stderr


def test_every_command_has_help_with_examples(capsys: Capture) -> None:
    names = [command.__name__.rpartition(".")[2] for command in COMMANDS]
    names[names.index("predictions")] = "score-predictions"
    for arguments in ([], *([name] for name in names), ["fidelity", "check"], ["data", "fetch"]):
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--help"])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        examples = said.partition("examples:\n")[2]
        assert examples.strip().startswith(f"evalsuite {' '.join(arguments[:1])}".strip())


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "evalsuite", "schema", "run"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(PYTHONUNBUFFERED="1"),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
