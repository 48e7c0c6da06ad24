"""The wheel: what is in it, and that its tasks are the checkout's (installing it for real is ``nox -s package``)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import package_checks
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = f"import hatchling.build as b; b.build_wheel({str(folder)!r}); b.build_sdist({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, capture_output=True, check=True)
    return folder


def test_the_wheel_holds_the_package_its_tasks_and_the_licences_and_nothing_else(dist: Path) -> None:
    package_checks.check_wheel(next(dist.glob("*.whl")))


def test_the_sdist_holds_what_building_and_testing_need(dist: Path) -> None:
    package_checks.check_sdist(next(dist.glob("*.tar.gz")))


def test_an_unpacked_wheel_lists_the_checkouts_tasks(dist: Path, tmp_path: Path) -> None:
    with ZipFile(next(dist.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")

    from_wheel = package_checks.task_list(tmp_path, tmp_path / "site")

    assert len(from_wheel) > 4
    assert from_wheel == package_checks.task_list(tmp_path, ROOT)


def test_every_file_of_the_task_folders_is_in_the_wheel(dist: Path) -> None:
    with ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    files = [file for file in (ROOT / "tasks").rglob("*") if file.is_file() and "__pycache__" not in file.parts]

    assert {f"evalsuite/{file.relative_to(ROOT).as_posix()}" for file in files} <= names


def test_every_package_the_code_imports_is_declared_and_the_other_way_round() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = {_name(line) for line in project["dependencies"]}
    extras = {_name(line) for lines in project["optional-dependencies"].values() for line in lines}

    imported = _imported() - set(sys.stdlib_module_names) - {"evalsuite"}

    assert imported <= {name.replace("-", "_") for name in core | extras}
    assert {name.replace("-", "_") for name in core} <= imported


def _name(requirement: str) -> str:
    return re.split(r"[^\w-]", requirement)[0].lower()


def _imported() -> set[str]:
    """Top-level names that the package and its tasks import, anywhere in a file."""
    found: set[str] = set()
    for file in (*(ROOT / "evalsuite").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split(".")[0])
    return found
