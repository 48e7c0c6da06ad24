"""Whatever a task's own code does: its name, the sample and the file are told, and the other tasks have their table."""

from __future__ import annotations

from pathlib import Path

import pytest
from faulty import faulty
from made import TOY, cells, lines, row, toy_data, toy_rows

from evalsuite.cli.main import main

Capture = pytest.CaptureFixture[str]

SCORED = 'values = {"f1": f1(answer, sample.references), "words": float(len(answer.split()))}'
DOCUMENT = "document = Document("
PROMPT = "paper_protocol(score=score, max_new_tokens=32),"


def _run(root: Path, plug_in: Path, tasks: str, *more: str) -> int:
    data = toy_data(root / "data", toy_rows(2, 2), [row(90 + d, 50 + d, "a tale") for d in range(3)])
    fixed = [
        "run",
        "--model",
        "scripted:first-words",
        "--tasks",
        tasks,
        "--data",
        str(data),
        "--out",
        str(root / "out"),
    ]
    return main([*fixed, "--include-path", str(TOY), "--include-path", str(plug_in), *more])


def _told(said: str) -> str:
    """The one line about the fault."""
    assert "Traceback" not in said
    (line,) = {line for line in said.splitlines() if "task faulty" in line and not line.startswith("incomplete")}
    return line


RAISED = [
    ("1 / 0", "ZeroDivisionError"),
    ("exit(0)", "SystemExit: 0"),
    ("next(iter(()))", "StopIteration"),
    ("(_ for _ in ()).throw(GeneratorExit)", "GeneratorExit"),
    ("{}['a\\nb']", "KeyError"),
]


@pytest.mark.parametrize(("code", "said"), RAISED)
def test_a_scorer_that_raises_costs_its_own_table_alone(tmp_path: Path, capsys: Capture, code: str, said: str) -> None:
    plug_in = faulty(tmp_path, (SCORED, f"{code}; {SCORED}"))
    assert _run(tmp_path, plug_in, "faulty,toy") == 3
    line = _told(capsys.readouterr().err)
    assert f"task faulty, sample 'q0': its score raised {said}" in line
    assert str(plug_in / "faulty" / "task.py") in line
    found = {cell["task"]: cell for cell in cells(tmp_path / "out") if cell["primary"]}
    assert found["toy"]["complete"]
    assert found["toy"]["value"] is not None
    assert (found["faulty"]["value"], found["faulty"]["complete"], found["faulty"]["failed"]) == (None, False, 4)


def test_a_mended_scorer_gives_the_table_without_asking_again(tmp_path: Path, capsys: Capture) -> None:
    plug_in = faulty(tmp_path, (SCORED, f"1 / 0; {SCORED}"))
    _run(tmp_path, plug_in, "faulty")
    asked = (tmp_path / "out" / "completions.jsonl").read_bytes()
    sound = faulty(tmp_path / "mended")
    assert main(["score", str(tmp_path / "out"), "--include-path", str(sound)]) == 0
    assert (tmp_path / "out" / "completions.jsonl").read_bytes() == asked
    assert "f1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "value", ["float('nan')", "float('inf')", "-float('inf')", "250.0", "-3.0", "True", "'5'", "None", "10**5000"]
)
def test_a_value_that_is_no_number_from_0_to_100_is_refused(tmp_path: Path, capsys: Capture, value: str) -> None:
    plug_in = faulty(tmp_path, ('"f1": f1(answer, sample.references)', f'"f1": {value}'))
    assert _run(tmp_path, plug_in, "faulty") == 3
    assert "its score gave f1 = " in _told(capsys.readouterr().err)
    assert [cell["value"] for cell in cells(tmp_path / "out")] == [None, None]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("return ScoredAnswer(values, answer, scorable=bool(answer))", "return values"),
            "no evalsuite.types.ScoredAnswer",
        ),
        (("ScoredAnswer(values, answer,", "ScoredAnswer(values, 5,"), "which is no text"),
        (("ScoredAnswer(values, answer,", "ScoredAnswer(values, '\\ud800',"), "which is no text"),
        (("ScoredAnswer(values, answer,", "ScoredAnswer(5, answer,"), "no mapping"),
        (("scorable=bool(answer)", "skipped=5"), "skipped it for 5, which is no text"),
        (("scorable=bool(answer)", "scorable=type('No', (), {'__bool__': lambda self: 1 / 0})()"), "ZeroDivisionError"),
        (('"words": float', '"word": float'), "gave no value of 'words'"),
    ],
)
def test_a_scored_answer_that_is_none_is_refused(
    tmp_path: Path, capsys: Capture, change: tuple[str, str], said: str
) -> None:
    assert _run(tmp_path, faulty(tmp_path, change), "faulty") == 3
    assert said in _told(capsys.readouterr().err)


def test_a_value_of_numpy_or_a_whole_number_is_a_number(tmp_path: Path) -> None:
    plug_in = faulty(tmp_path, (SCORED, 'import numpy; values = {"f1": numpy.float32(50), "words": 3}'))
    assert _run(tmp_path, plug_in, "faulty") == 0
    assert {line["values"]["f1"] for line in lines(tmp_path / "out" / "scores.jsonl")} == {50.0}


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("combine=lambda means: 1 / 0, of=('f1',)", "raised ZeroDivisionError"),
        ("combine=lambda means: float('nan'), of=('f1',)", "gave nan"),
        ("combine=lambda means: 101.0, of=('f1',)", "gave 101.0"),
        ("combine=lambda means: None, of=('f1',)", "gave None"),
        ("subset=lambda sample: exit(0), averages='f1'", "raised SystemExit: 0"),
        ("clusters=lambda sample: 1 / 0, averages='f1'", "raised ZeroDivisionError"),
        ("clusters=lambda sample: 7, averages='f1'", "gave 7, which is no text"),
    ],
)
def test_a_metric_whose_code_fails_has_no_value_and_the_others_have(
    tmp_path: Path, capsys: Capture, metric: str, said: str
) -> None:
    plug_in = faulty(tmp_path, ('Metric("words")', f'Metric("words"), Metric("both", {metric})'))
    assert _run(tmp_path, plug_in, "faulty,toy") == 3
    line = _told(capsys.readouterr().err)
    assert "of metric 'both'" in line
    assert said in line
    found = {(cell["task"], cell["metric"]): cell for cell in cells(tmp_path / "out")}
    assert (found["faulty", "both"]["value"], found["faulty", "both"]["complete"]) == (None, False)
    assert found["faulty", "both"]["scored"] == 4
    assert found["faulty", "f1"]["value"] is not None
    assert found["toy", "f1"]["complete"]


READ = "task faulty: its samples"
ASKED = "task faulty, sample 'q0': its"
PLANNED = [
    ((DOCUMENT, f"1 / 0; {DOCUMENT}"), f"{READ} raised ZeroDivisionError"),
    ((DOCUMENT, f"exit(0); {DOCUMENT}"), f"{READ} raised SystemExit"),
    ((DOCUMENT, f"open('/nowhere'); {DOCUMENT}"), f"{READ} raised FileNotFoundError"),
    ((DOCUMENT, f"row.text('id') == 'q1' and 1 / 0; {DOCUMENT}"), f"{READ} (after 'q0') raised ZeroDivisionError"),
    (("yield _sample(row)", "yield row"), f"{READ} gave"),
    (("yield _sample(row)", "yield None"), f"{READ} gave None"),
    (("samples=samples", "samples=lambda selection: None"), f"{READ} raised TypeError"),
    ((PROMPT, f"replace({PROMPT[:-1]}, prompt=lambda sample: 1 / 0),"), f"{ASKED} prompt raised ZeroDivisionError"),
    ((PROMPT, f"replace({PROMPT[:-1]}, prompt=lambda sample: 'text'),"), f"{ASKED} prompt gave 'text'"),
    ((PROMPT, f"replace({PROMPT[:-1]}, prompt=lambda sample: ()),"), f"{ASKED} prompt gave ()"),
    (
        (PROMPT, f"replace({PROMPT[:-1]}, prompt=lambda sample: (Part(Role.DOCUMENT, 'other'),)),"),
        f"{ASKED} prompt has a document part that is another text",
    ),
    (
        (PROMPT, f"replace({PROMPT[:-1]}, prompt=lambda sample: (Part(Role.QUESTION, '\\ud800'),)),"),
        f"{ASKED} prompt has a question part that is no text",
    ),
    ((PROMPT, f"replace({PROMPT[:-1]}, options=lambda sample: 1 / 0),"), f"{ASKED} options raised ZeroDivisionError"),
    ((PROMPT, f"replace({PROMPT[:-1]}, options=lambda sample: ()),"), f"{ASKED} options are ()"),
    ((PROMPT, f"replace({PROMPT[:-1]}, options=lambda sample: ('a', '')),"), f"{ASKED} options hold ''"),
    ((PROMPT, f"replace({PROMPT[:-1]}, options=lambda sample: ('a', 5)),"), f"{ASKED} options hold 5"),
]


@pytest.mark.parametrize(("change", "said"), PLANNED)
def test_a_task_that_cannot_be_asked_for_a_fault_of_its_code_costs_its_own_table_alone(
    tmp_path: Path, capsys: Capture, change: tuple[str, str], said: str
) -> None:
    plug_in = faulty(
        tmp_path,
        change,
        (
            "from collections.abc import Iterator",
            "from collections.abc import Iterator\nfrom dataclasses import replace",
        ),
        ("import Completion,", "import Part, Role, Completion,"),
    )
    assert _run(tmp_path, plug_in, "faulty,toy") == 3
    line = _told(capsys.readouterr().err)
    assert said in line
    assert str(plug_in / "faulty" / "task.py") in line
    assert {cell["task"] for cell in cells(tmp_path / "out")} == {"toy"}
    assert all(cell["complete"] for cell in cells(tmp_path / "out"))


@pytest.mark.parametrize(("change", "said"), PLANNED[:1])
def test_nothing_is_asked_where_the_only_task_fails(
    tmp_path: Path, capsys: Capture, change: tuple[str, str], said: str
) -> None:
    assert _run(tmp_path, faulty(tmp_path, change), "faulty") == 2
    assert said in _told(capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_a_demonstration_that_fails_is_found_before_anything_is_asked(tmp_path: Path, capsys: Capture) -> None:
    shown = "def broken(sample: Sample) -> object:\n    return 1 / (sample.document.text != 'a tale')\n\n\nTASKS = ("
    plug_in = faulty(
        tmp_path,
        (PROMPT, f"replace({PROMPT[:-1]}, demonstrate=broken),"),
        ("TASKS = (", f"from dataclasses import replace\n\n\n{shown}"),
    )
    assert _run(tmp_path, plug_in, "faulty,toy", "--shots", "0,1") == 3
    assert "its demonstrate raised ZeroDivisionError" in _told(capsys.readouterr().err)
    assert {cell["task"] for cell in cells(tmp_path / "out")} == {"toy"}


def test_an_exception_whose_text_raises_another_is_named_all_the_same(tmp_path: Path, capsys: Capture) -> None:
    nasty = "class Nasty(Exception):\n    def __str__(self) -> str:\n        raise RuntimeError\n\n\ndef score("
    plug_in = faulty(tmp_path, (SCORED, "raise Nasty"), ("def score(", nasty))
    assert _run(tmp_path, plug_in, "faulty") == 3
    assert "raised Nasty: (its text cannot be shown)" in _told(capsys.readouterr().err)
