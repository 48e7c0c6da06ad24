"""Readers that go away, closed streams, poor encodings, full disks: the work is done, or one line says why."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from made import TOY, cells, command, environment, evalsuite, sealed_again, toy_data, toy_rows, toy_run

ASKED = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_data(tmp_path_factory.mktemp("data"), toy_rows())


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    assert evalsuite(*toy_run(out, data)).returncode == 0
    return out


def _in_shell(arguments: list[str], redirection: str, **more: str) -> subprocess.CompletedProcess[str]:
    script = f'"$@" {redirection}'
    whole = ["bash", "-o", "pipefail", "-c", script, "bash", *command(*arguments)]
    return subprocess.run(whole, env=environment(**more), capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("redirection", ["2>&1 | true", "| true", "2>&-", ">&- 2>&-", "2>/dev/null | head -1"])
def test_a_run_is_done_whoever_reads_what_it_says(data: Path, tmp_path: Path, redirection: str) -> None:
    done = _in_shell(toy_run(tmp_path / "out", data), redirection)
    assert done.returncode == 0, done.stderr
    assert all(cell["scored"] == ASKED and cell["complete"] for cell in cells(tmp_path / "out"))


def test_an_incomplete_table_is_incomplete_for_a_reader_that_goes_away(run: Path, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.mkdir()
    for file in run.iterdir():
        if file.is_file():
            (short / file.name).write_bytes(file.read_bytes())
    (short / "documents").symlink_to(run / "documents")
    journal = short / "completions.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    sealed_again(short)
    for arguments in (["score", str(short), "--include-path", str(TOY)], ["compare", str(short)]):
        assert _in_shell(arguments, "2>&1 | true").returncode == 3


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_table_is_shown_in_any_encoding(run: Path, encoding: str) -> None:
    script = [*command("compare", run)]
    done = subprocess.run(script, env=environment(PYTHONIOENCODING=encoding), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"toy (f1, validation), {ASKED}/{ASKED} answers" in done.stdout.decode(encoding)


@pytest.mark.parametrize(
    ("arguments", "redirection"),
    [
        (("compare", "RUN", "--format", "json"), ">/dev/full"),
        (("score", "GONE"), ""),
        (("run", "--model", "scripted:echo", "--model-name", "\udcff"), ""),
    ],
)
def test_what_the_machine_refuses_is_one_line_and_a_code_of_its_own(
    run: Path, tmp_path: Path, arguments: tuple[str, ...], redirection: str
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / "run.json").write_bytes((run / "run.json").read_bytes())
    names = {"RUN": str(run), "GONE": str(gone)}
    done = _in_shell([names.get(argument, argument) for argument in arguments], redirection)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_damaged_document_is_named(run: Path, tmp_path: Path) -> None:
    hurt = tmp_path / "hurt"
    (hurt / "documents").mkdir(parents=True)
    for file in (*run.glob("*.json*"), *run.glob("documents/*")):
        (hurt / file.relative_to(run)).write_bytes(b"junk" if file.suffix == ".zst" else file.read_bytes())
    done = evalsuite("score", hurt, "--include-path", TOY)
    assert done.returncode == 2
    assert "damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
