"""Commands that need no model and no data load none of the packages for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "transformers", "vllm", "lm_eval", "ray", "datasets", "pandas", "matplotlib", "nltk", "rouge_score")

SHOW_LOADED = """
import sys
from evalsuite.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as ending:
    code = ending.code
print(f"exit {code}; loaded:", *sorted(name for name in %r if name in sys.modules), file=sys.stderr)
"""


def loaded_by(*arguments: str, cwd: Path) -> str:
    """The last line of: which heavy packages one command imported."""
    command = [sys.executable, "-c", SHOW_LOADED % (HEAVY,), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    return done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run in ``run``."""
    from evalsuite.cli.main import main
    from evalsuite.demo.formats import write_world

    root = tmp_path_factory.mktemp("started")
    write_world(root / "data", tasks=("qasper",), documents=2, questions=1)
    data = str(root / "data" / "length-512")
    assert (
        main(["run", "--model", "scripted:echo", "--tasks", "qasper", "--data", data, "--out", str(root / "run")]) == 0
    )
    return root


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--version",
        "run --help",
        "tasks",
        "tasks qasper",
        "tasks --json",
        "compare run",
        "compare run --format markdown",
        "compare run --format json",
        "compare run --format csv",
        "compare run --format latex",
        "compare run --layout wide",
        "schema cell",
        "data list",
    ],
)
def test_a_command_without_a_model_starts_light(line: str, folder: Path) -> None:
    assert loaded_by(*line.split(), cwd=folder) == "exit 0; loaded:"


def test_the_test_sees_a_package_that_is_loaded(folder: Path) -> None:
    plugin = folder / "plugins" / "one" / "task.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("import pandas\nTASKS = ()\n")
    assert "pandas" in loaded_by("tasks", "--include-path", "plugins", cwd=folder)
