"""What a built package must hold and an installed one must do; ``nox -s package`` runs it as a script.

python package_checks.py built DIST            the wheel and the sdist in a folder
python package_checks.py installed ROOT RUNS   the package of this interpreter, against the checkout ROOT; leaves RUNS
python package_checks.py bare WHEEL CONSTRAINTS RUNS ENVIRONMENT
                                               the wheel without extras, installed into a new environment, on RUNS
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

MOST_BYTES = 15_000_000
MOST_MEGABYTES = 200
"""The base install beyond an empty environment, on disk."""
LENGTH = 512
"""Of the demo's shortest documents."""
UNABLE = {
    "run --model hf:x --tasks qasper --data data --out no": "hf",
    "run --model vllm:x --tasks qasper --data data --out no": "vllm",
    "run --model openai:x --tasks qasper --data data --out no": "openai",
    "run --model scripted:echo --tasks lm-eval:gsm8k --out no": "hf",
    "run --model scripted:echo --tasks qasper --out no": "data",
    "data fetch": "data",
    "demo": "hf",
}
"""What the base cannot do, and the extra that can."""
NEEDED = (
    "evalsuite/py.typed",
    "evalsuite/cli/main.py",
    "evalsuite/tasks/qasper/task.py",
    "evalsuite/tasks/qasper/README.md",
)
SDIST = (
    "pyproject.toml",
    "noxfile.py",
    "constraints.txt",
    "README.md",
    "NOTICE",
    "tests/conftest.py",
    "tasks/qasper/task.py",
)


def check_built(dist: Path) -> None:
    """The one wheel and the one sdist of a folder."""
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    check_wheel(wheel)
    check_sdist(sdist)


def check_wheel(wheel: Path) -> None:
    """Size, contents, nothing that does not belong there."""
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert wheel.stat().st_size < MOST_BYTES, f"{wheel.name} has {wheel.stat().st_size} bytes"
    assert not set(NEEDED) - set(names), f"missing: {set(NEEDED) - set(names)}"
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"evalsuite"}, f"installs other top-level names: {top}"
    licences = {name.rsplit("/", 1)[1] for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}, f"licence files: {licences}"
    stray = [name for name in names if name.endswith((".pyc", ".orig", ".gz")) or "/tests/" in name]
    assert not stray, f"does not belong there: {stray}"


def check_sdist(sdist: Path) -> None:
    """Everything needed to build, read and test it."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not set(SDIST) - names, f"missing: {set(SDIST) - names}"


def task_list(folder: Path, python_path: Path | None = None) -> list[dict[str, object]]:
    """What ``evalsuite tasks --json`` says, started in a folder."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "evalsuite", "tasks", "--json"]
    if python_path:
        env["PYTHONPATH"] = str(python_path)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    tasks: list[dict[str, object]] = json.loads(done.stdout)
    return tasks


def check_installed(root: Path, runs: Path) -> None:
    """The installed package lists the checkout's tasks and runs the demo, far from the checkout and off the network."""
    import evalsuite

    assert Path(evalsuite.__file__).resolve().parent != root / "evalsuite", "this interpreter imports the checkout"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assert task_list(folder) == task_list(folder, root), "the wheel's tasks differ from the checkout's"
        demo = [sys.executable, "-m", "evalsuite", "demo", "--out", str(runs)]
        done = subprocess.run(
            demo, cwd=folder, env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=True, stdout=subprocess.PIPE
        )
        assert b"Table 1" in done.stdout, done.stdout.decode()
        assert (runs / "short" / "run.json").is_file()
        assert (runs / "long" / "run.json").is_file()


def check_bare(wheel: Path, constraints: Path, runs: Path, environment: Path) -> None:
    """The wheel alone is small, reads, scores and compares; what it cannot do is one line that names the extra."""
    venv.create(environment, with_pip=True)
    empty = megabytes(environment)
    python = environment / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel]
    subprocess.run(install, check=True)
    size = megabytes(environment) - empty
    assert size <= MOST_MEGABYTES, f"the base install takes {size} MB beyond an empty environment"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for line in (*_able(runs, folder), *UNABLE):
            _check_command(python, line, folder, UNABLE.get(line))
    print(f"the base install takes {size} MB beyond an empty environment of {empty} MB")


def megabytes(folder: Path) -> int:
    """What a folder takes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) // 1_000_000


def _able(runs: Path, folder: Path) -> tuple[str, ...]:
    """Commands that the base must do, on copies of the demo's runs and on answers made of one of them."""
    for name in ("short", "long"):
        shutil.copytree(runs / name, folder / "runs" / name)
    samples = map(json.loads, (runs / "short" / "samples.jsonl").read_text(encoding="utf-8").splitlines())
    quality = [one["id"] for one in samples if one["task"] == "quality" and one["length"] == LENGTH]
    answers = [json.dumps({"task": "quality", "id": name, "prediction": "(B)"}) + "\n" for name in quality]
    (folder / "answers.jsonl").write_text("".join(answers), encoding="utf-8")
    shutil.copytree(runs / "data" / f"length-{LENGTH}", folder / "data")
    return (
        *("--help", "tasks", "schema cell", "score runs/short"),
        *(f"compare runs --format {form}" for form in ("terminal", "markdown", "csv", "latex", "json")),
        "score-predictions answers.jsonl --suite plain --data data --out scored",
        "run --model scripted:echo --tasks qasper,quality --shots 0,1 --data data --out asked",
    )


def _check_command(python: Path, line: str, folder: Path, extra: str | None) -> None:
    """Runs one command, which must work, or where an extra is missing, be refused in one line."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "EVALSUITE_DATA")}
    env = {**clean, "HF_HUB_OFFLINE": "1", "EVALSUITE_CACHE": str(folder / "cache")}
    command = [str(python), "-m", "evalsuite", *line.split()]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    told = f"evalsuite {line}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    if extra is None:
        assert done.returncode == 0, told
        assert done.stdout, told
    else:
        assert done.returncode == 2, told
        assert done.stderr.count("\n") == 1, told
        assert f"pip install 'evalsuite[{extra}]'" in done.stderr, told


if __name__ == "__main__":
    checks = {"built": check_built, "installed": check_installed, "bare": check_bare}
    checks[sys.argv[1]](*(Path(argument).resolve() for argument in sys.argv[2:]))
