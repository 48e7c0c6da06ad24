"""Tasks of others: a folder of --include-path, and a package with an entry point (tests/example_plugin)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

import pytest

from evalsuite.engines.registry import open_prompt_side
from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks, select_tasks
from evalsuite.predictions.formats import formats

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "tests" / "example_plugin"
MY_TASKS = EXAMPLE / "my_tasks"
LETTER = {
    "id": "l1",
    "text": "Dear Ada, the lamp burns oil from Bergen. Yours, Nils.",
    "questions": [{"id": "l1-q1", "question": "Where is the oil from?", "answer": "Bergen"}],
}
RIDDLE = {
    "id": "r1",
    "text": "It has teeth and cannot bite.",
    "options": ["A comb", "A dog", "A cat", "A pike"],
    "right": 0,
}

CLI = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> CLI:
    """Runs our command line in an empty folder; ``path`` is put in front of the import path."""

    def run(line: str, *arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (path, ROOT) if path else (ROOT,)))}
        command = [sys.executable, "-m", "evalsuite", *line.split(), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def installed_plug_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package as a wheel puts it on disk, entry point and all."""
    folder = tmp_path_factory.mktemp("plugin")
    build = f"import hatchling.build as b; print(b.build_wheel({str(folder)!r}))"
    built = subprocess.run([sys.executable, "-c", build], cwd=EXAMPLE, capture_output=True, text=True, check=True)
    with ZipFile(folder / built.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def write_data(root: Path, name: str, row: object, splits: tuple[str, ...] = ("validation",)) -> Path:
    for split in splits:
        file = root / "data" / name / f"{split}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(row) + "\n")
    return root / "data"


def test_a_folder_of_tasks_is_found_beside_ours() -> None:
    ours, all_of_them = set(find_tasks()), set(find_tasks([str(MY_TASKS)]))

    assert all_of_them - ours == {"letters"}


def test_a_single_task_folder_can_be_named_as_well() -> None:
    assert "letters" in find_tasks([str(MY_TASKS / "letters")])


def test_a_task_of_a_folder_runs_from_source_to_table(cli: CLI, tmp_path: Path) -> None:
    data = write_data(tmp_path, "letters", LETTER)

    done = cli("run --model scripted:echo --tasks letters --out out --include-path", MY_TASKS, "--data", data)

    assert done.returncode == 0, done.stderr
    (cell,) = json.loads((tmp_path / "out" / "cells.json").read_text())
    assert (cell["task"], cell["suite"], cell["asked"], cell["scored"]) == ("letters", "my-tasks", 1, 1)


def test_an_installed_package_adds_its_task(cli: CLI, installed_plug_in: Path) -> None:
    with_it = cli("tasks --json", path=installed_plug_in)
    without = cli("tasks --json")

    assert with_it.returncode == 0, with_it.stderr
    names = [{task["name"] for task in json.loads(done.stdout)} for done in (with_it, without)]
    assert names[0] - names[1] == {"riddles"}


def test_a_task_of_a_package_runs_by_log_likelihood(cli: CLI, tmp_path: Path, installed_plug_in: Path) -> None:
    data = write_data(tmp_path, "riddles", RIDDLE)

    done = cli("run --model scripted:silent --tasks riddles --out out --data", data, path=installed_plug_in)

    assert done.returncode == 0, done.stderr
    (cell,) = json.loads((tmp_path / "out" / "cells.json").read_text())
    assert (cell["metric"], cell["asked"], cell["scored"]) == ("accuracy", 1, 1)


def test_a_package_brings_its_prediction_format_and_its_submission(
    cli: CLI, tmp_path: Path, installed_plug_in: Path
) -> None:
    data = write_data(tmp_path, "riddles", RIDDLE)
    (tmp_path / "mine.txt").write_text("r1: A comb\n")

    read = cli("score-predictions mine.txt --suite riddles --out read --data", data, path=installed_plug_in)

    assert read.returncode == 0, read.stderr
    assert [cell["value"] for cell in json.loads((tmp_path / "read" / "cells.json").read_text())] == [100.0]

    written = cli("submission read --suite riddles --out theirs.txt --data", data, path=installed_plug_in)

    assert written.returncode == 0, written.stderr
    assert (tmp_path / "theirs.txt").read_text() == "r1: A comb\n"
    (tmp_path / "theirs.txt").unlink()
    assert cli("submission read --out theirs.txt --data", data, path=installed_plug_in).returncode == 0
    assert (tmp_path / "theirs.txt").read_text() == "r1: A comb\n"
    assert "no leaderboard's tasks were asked there" in cli("submission read --out no.txt --data", data).stderr
    assert "unknown format 'riddles'" in cli("score-predictions mine.txt --suite riddles --out no").stderr


def test_a_folder_brings_its_prediction_format_and_its_submission(cli: CLI, tmp_path: Path) -> None:
    data, folder = write_data(tmp_path, "riddles", RIDDLE), tmp_path / "mine" / "riddles"
    copytree(EXAMPLE / "evalsuite_riddles", folder, ignore=ignore_patterns("__init__.py"))
    with (folder / "task.py").open("a") as file:
        file.write("from .leaderboard import BENCHMARK\n")
    (tmp_path / "mine.txt").write_text("r1: A comb\n")
    given = ("--include-path", tmp_path / "mine", "--data", data)

    read = cli("score-predictions mine.txt --suite riddles --out read", *given)
    written = cli("submission read --suite riddles --out theirs.txt", *given)

    assert (read.returncode, written.returncode) == (0, 0), read.stderr + written.stderr
    assert (tmp_path / "theirs.txt").read_text() == "r1: A comb\n"


@pytest.mark.parametrize(
    ("code", "line", "complaint"),
    [
        (("yield joined", "1 / 0; yield joined"), "score-predictions mine.txt --suite riddles --out no", "reader of"),
        (('return ""', 'exit(0); return ""'), "submission read --out no.txt", "writer of the submission 'riddles'"),
        (
            ("answers = [", "file.read(); answers = ["),
            "score-predictions mine.txt --suite riddles --out no",
            "NameError",
        ),
    ],
)
def test_a_format_whose_code_fails_is_one_line_with_its_place(
    cli: CLI, tmp_path: Path, code: tuple[str, str], line: str, complaint: str
) -> None:
    data, folder = write_data(tmp_path, "riddles", RIDDLE), tmp_path / "mine" / "riddles"
    copytree(EXAMPLE / "evalsuite_riddles", folder, ignore=ignore_patterns("__init__.py"))
    with (folder / "task.py").open("a") as file:
        file.write("from .leaderboard import BENCHMARK\n")
    (tmp_path / "mine.txt").write_text("r1: A comb\n")
    given = ("--include-path", tmp_path / "mine", "--data", data)
    assert cli("score-predictions mine.txt --suite riddles --out read", *given).returncode == 0
    written = (folder / "leaderboard.py").read_text()
    assert code[0] in written
    (folder / "leaderboard.py").write_text(written.replace(*code))

    done = cli(line, *given)

    assert done.returncode == 2
    assert complaint in done.stderr
    assert str(folder / "task.py") in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("benchmark", "complaint"),
    [
        ("7", "BENCHMARK must be an evalsuite.benchmark.Benchmark"),
        ("Benchmark(predictions=(Predictions(name='plain', read=None),))", "there is a prediction format 'plain'"),
        ("Benchmark(predictions=(Predictions(name='leval', read=None),))", "two benchmarks have a prediction format"),
    ],
)
def test_a_benchmark_that_cannot_be_told_from_another_is_refused_by_place(
    tmp_path: Path, benchmark: str, complaint: str
) -> None:
    (tmp_path / "mine").mkdir()
    imports = "from evalsuite.benchmark import Benchmark, Predictions"
    (tmp_path / "mine" / "task.py").write_text(f"{imports}\nTASKS = ()\nBENCHMARK = {benchmark}\n")

    with pytest.raises(UsageError, match=complaint) as error:
        formats([str(tmp_path)])

    assert str(tmp_path / "mine" / "task.py") in str(error.value)


def test_a_new_metric_is_declared_in_its_task_alone(cli: CLI, tmp_path: Path) -> None:
    data = write_data(tmp_path, "letters", LETTER)
    source = (MY_TASKS / "letters" / "task.py").read_text()
    changes = {
        "completion.text.strip()\n": "completion.text.strip()\n    words = float(min(100, len(answer.split())))\n",
        ", sample.references)}": ', sample.references), "words": words}',
        'Metric("f1", primary=True)': 'Metric("f1", primary=True, official="scrolls.f1"), '
        'Metric("words", higher_is_better=False, clusters=lambda sample: sample.question)',
    }
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new)
    (tmp_path / "mine" / "letters").mkdir(parents=True)
    (tmp_path / "mine" / "letters" / "task.py").write_text(source)
    given = ("--include-path", tmp_path / "mine")

    done = cli("run --model scripted:echo --tasks letters --out out --data", data, *given)

    assert done.returncode == 0, done.stderr
    found = {cell["metric"]: cell for cell in json.loads((tmp_path / "out" / "cells.json").read_text())}
    assert (found["words"]["value"], found["words"]["higher_is_better"], found["words"]["primary"]) == (1, False, False)
    assert "words" in cli("compare out --every-metric").stdout
    assert "metrics    f1 (primary, as scrolls.f1), words" in cli("tasks letters", *given).stdout
    assert "| my-tasks | `letters` 1 | `scrolls.f1` | ours |" in cli("fidelity tasks", *given).stdout


def test_an_installed_package_adds_its_engine(cli: CLI, tmp_path: Path, installed_plug_in: Path) -> None:
    data = write_data(tmp_path, "riddles", RIDDLE)
    asked = ("run --tasks riddles --out out --data", data, "--model")

    done = cli(*asked, "parrot:A comb", path=installed_plug_in)

    assert done.returncode == 0, done.stderr
    (cell,) = json.loads((tmp_path / "out" / "cells.json").read_text())
    assert (cell["model"], cell["value"]) == ("A comb", 100.0)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["engine"]["scheme"] == "parrot"
    assert "did you mean parrot?" in cli(*asked, "parot:A comb", path=installed_plug_in).stderr
    assert "a parrot takes no options" in cli(*asked, "parrot:A comb,a=1", path=installed_plug_in).stderr
    assert "parrot" not in cli(*asked, "nothing:A comb").stderr


@pytest.mark.parametrize(
    ("entry", "content", "complaint"),
    [
        ("hf = broken_engine", "", "two engines are called hf: evalsuite.engines.hf and broken_engine"),
        ("lamp = broken_engine", "raise SystemExit(0)", "lamp = broken_engine cannot be loaded: SystemExit(0)"),
        ("lamp = broken_engine", "import a_package_nobody_has", "No module named 'a_package_nobody_has'"),
        ("lamp = broken_engine", "load = None", "an engine's module needs a function load"),
        ("lamp = broken_engine", "def load(*_, **__): 1 / 0", "lamp:x: broken_engine raised ZeroDivisionError"),
    ],
)
def test_a_broken_engine_of_a_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str, content: str, complaint: str
) -> None:
    (tmp_path / "broken_engine.py").write_text(content)
    described = tmp_path / "broken_engine-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-engine\nVersion: 1\n")
    (described / "entry_points.txt").write_text(f"[evalsuite.engines]\n{entry}\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "broken_engine", raising=False)

    with pytest.raises(UsageError) as error:
        open_prompt_side(f"{entry.split(maxsplit=1)[0]}:x")

    assert complaint in str(error.value)


def test_a_run_is_scored_again_only_with_its_tasks_at_hand(cli: CLI, tmp_path: Path) -> None:
    data = write_data(tmp_path, "letters", LETTER)
    cli("run --model scripted:echo --tasks letters --out out --include-path", MY_TASKS, "--data", data)

    with_it = cli("score out --include-path", MY_TASKS)
    without = cli("score out")

    assert with_it.returncode == 0, with_it.stderr
    assert without.returncode == 2
    assert "letters" in without.stderr
    assert "Traceback" not in without.stderr


def test_two_tasks_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    source = (MY_TASKS / "letters" / "task.py").read_text().replace('name="letters"', 'name="qasper"')
    folder = tmp_path / "mine" / "copy"
    folder.mkdir(parents=True)
    (folder / "task.py").write_text(source)

    with pytest.raises(UsageError, match="two tasks are called 'qasper'") as error:
        find_tasks([str(tmp_path / "mine")])

    assert str(folder / "task.py") in str(error.value)
    assert str(Path("tasks", "qasper", "task.py")) in str(error.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("raise RuntimeError('lamp out')", "lamp out"),
        ("import a_package_nobody_has", "a_package_nobody_has"),
        ("TASKS = []", "must end in TASKS"),
        ("", "must end in TASKS"),
        ("def (", "invalid syntax"),
    ],
)
def test_a_broken_task_is_named_not_skipped(tmp_path: Path, content: str, complaint: str) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "task.py").write_text(content)

    with pytest.raises(UsageError, match=complaint) as error:
        find_tasks([str(tmp_path)])

    assert str(folder / "task.py") in str(error.value)


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_an_include_path_without_tasks_is_refused(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match="--include-path"):
        find_tasks([path])


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean qasper"):
        select_tasks(["quasper"], find_tasks())


def test_a_suite_stands_for_its_tasks() -> None:
    names = [task.name for task in select_tasks(["llama2-long"], find_tasks())]

    assert {"narrativeqa", "qasper", "quality", "qmsum"} <= set(names)
