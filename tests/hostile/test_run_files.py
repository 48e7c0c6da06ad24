"""A byte changed in any file of a run: the same values as before, or one line that names the file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pytest
from made import TOY, row, toy_data, toy_run

from evalsuite.cli.main import main
from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.runs.directory.store import dump_all
from evalsuite.runs.run import Run
from evalsuite.runs.scored import score_folder

FLIPS = 300
"""For a finished run, and as many for one that was killed."""
SETTINGS = ("--shots", "0,1", "--max-prompt-tokens", "90,300")
TASKS = find_tasks([str(TOY)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = ("The king slept.", "The queen wrote a letter to the moon. " * 4, "Nobody came to the feast.")
    rows = [row(n, n, text, answers=[text[:9]], evidence=[[0, 4]]) for n, text in enumerate(texts)]
    return toy_data(tmp_path_factory.mktemp("data"), rows)


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert main(toy_run(out, data, *SETTINGS)) == 0
    return out


@pytest.fixture(scope="module")
def killed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run ended at once while its eighth answer was made."""
    from evalsuite.engines import scripted

    quick, left = scripted.SCRIPTS["first-words"], [8]

    def ended(prompt: str) -> str:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return quick(prompt)

    out = tmp_path_factory.mktemp("runs") / "killed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripted, "SCRIPTS", {**scripted.SCRIPTS, "first-words": ended})
        assert main(toy_run(out, data, *SETTINGS)) == 130
    assert (out / "completions.jsonl").read_bytes().count(b"\n") == 7
    return out


def _flips(folder: Path, seed: int) -> Iterator[tuple[Path, int, int]]:
    """File, place and the bits to turn; every file as often as the others, whatever its size."""
    draw = random.Random(seed)  # noqa: S311 - places to damage
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    for number in range(FLIPS):
        path = files[number % len(files)]
        size = (folder / path).stat().st_size
        yield path, draw.choice((draw.randrange(size), size - 1 - draw.randrange(min(size, 4)))), draw.randrange(1, 256)


def _flip(path: Path, place: int, bits: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= bits
    path.write_bytes(content)


def _scored(folder: Path) -> bytes:
    return dump_all(score_folder(folder, TASKS))


def _shown(folder: Path) -> bytes:
    run = Run.open(folder)
    return dump_all(run.cell_values) + "".join(run.remarks()).encode()


@pytest.mark.parametrize("state", ["finished", "killed"])
@pytest.mark.timeout(600)
def test_a_changed_byte_changes_no_value_in_silence(
    state: str, request: pytest.FixtureRequest, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole: Path = request.getfixturevalue(state)
    out = tmp_path / "run"
    copytree(whole, out)
    shown, refused = _shown(out), 0
    scored, answered = _scored(out), (request.getfixturevalue("finished") / "cells.json").read_bytes()
    for number, (file, place, bits) in enumerate(_flips(whole, seed=3)):
        where = f"{file}, byte {place} of {(whole / file).stat().st_size}, bits {bits}"
        for look, right in ((_shown, shown), (_scored, scored)):
            _restore(whole, out)
            _flip(out / file, place, bits)
            found, said = _tried(look, out)
            refused += found is None
            assert file.name in said or found == right or _is_torn_end(whole / file, place), f"{where}: {said}"
        if number % 5 == 0:
            _restore(whole, out)
            _flip(out / file, place, bits)
            capsys.readouterr()
            code = main(toy_run(out, data, *SETTINGS))
            said = capsys.readouterr().err
            assert code in (0, 2), where
            assert (out / "cells.json").read_bytes() == answered if code == 0 else file.name in said, f"{where}: {said}"
    assert refused > FLIPS, "most damage is noticed"


def _tried(look: Callable[[Path], bytes], folder: Path) -> tuple[bytes | None, str]:
    """What a look at a run shows, or the line that refuses it."""
    try:
        return look(folder), ""
    except UsageError as error:
        return None, str(error)


def _restore(whole: Path, out: Path) -> None:
    for path in whole.rglob("*"):
        there = out / path.relative_to(whole)
        if path.is_file() and (not there.exists() or there.read_bytes() != path.read_bytes()):
            there.write_bytes(path.read_bytes())
    for path in out.rglob("*"):
        if not (whole / path.relative_to(out)).exists():
            path.unlink()


def _is_torn_end(path: Path, place: int) -> bool:
    """Whether a flip there takes the end of the journal's last line: that line counts as torn, and is missing."""
    return path.name == "completions.jsonl" and place == path.stat().st_size - 1


@pytest.mark.parametrize("state", ["finished", "killed"])
@pytest.mark.parametrize("name", ["run.json", "samples.jsonl", "requests.jsonl", "completions.jsonl", "documents"])
def test_a_file_that_is_gone_is_named(
    state: str, name: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(copytree(request.getfixturevalue(state), tmp_path / "run"))
    gone = next((out / name).iterdir()) if name == "documents" else out / name
    gone.unlink()
    capsys.readouterr()
    code = main(["score", str(out), "--include-path", str(TOY)])
    said = capsys.readouterr().err
    if state == "killed" and name in ("requests.jsonl", "completions.jsonl"):
        assert code == 3
        assert all(cell["value"] is None for cell in json.loads((out / "cells.json").read_text()))
    else:
        assert code == 2
        assert gone.name in said
