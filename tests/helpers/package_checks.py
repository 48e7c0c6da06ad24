"""What a built package must hold and an installed one must do; ``nox -s package`` runs it as a script.

python package_checks.py built DIST       the wheel and the sdist in a folder
python package_checks.py installed ROOT   the package of this interpreter, against the checkout ROOT
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from zipfile import ZipFile

MOST_BYTES = 15_000_000
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


def check_installed(root: Path) -> None:
    """The installed package lists the checkout's tasks and runs the demo, far from the checkout and off the network."""
    import evalsuite

    assert Path(evalsuite.__file__).resolve().parent != root / "evalsuite", "this interpreter imports the checkout"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assert task_list(folder) == task_list(folder, root), "the wheel's tasks differ from the checkout's"
        demo = [sys.executable, "-m", "evalsuite", "demo", "--out", "demo"]
        done = subprocess.run(
            demo, cwd=folder, env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=True, stdout=subprocess.PIPE
        )
        assert b"Table 1" in done.stdout, done.stdout.decode()
        assert (folder / "demo" / "short" / "run.json").is_file()
        assert (folder / "demo" / "long" / "run.json").is_file()


if __name__ == "__main__":
    {"built": check_built, "installed": check_installed}[sys.argv[1]](Path(sys.argv[2]).resolve())
