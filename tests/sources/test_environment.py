"""Every environment variable the package reads is documented in one table, and does what the table says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalsuite.errors import UsageError
from evalsuite.sources import Cache, open_source
from evalsuite.task import Dataset, HubFile

ROOT = Path(__file__).resolve().parents[2]
NAMED_ELSEWHERE = {
    ("options.py", "self.key_env"): {"OPENAI_API_KEY"},
    ("worker.py", "name"): {"VLLM_LOGGING_LEVEL", "VLLM_NO_USAGE_STATS", "OMP_WAIT_POLICY"},
}
"""Reads whose variable is no literal, and the variables that their names stand for."""
BY_THE_STANDARD_LIBRARY = {"get_terminal_size": {"COLUMNS"}}
DATA = Dataset("thing", "h", "l", "c", "i", (HubFile("owner/name", "a.jsonl", "test"),))


def _is_environ(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def _names(tree: ast.AST) -> Iterator[ast.expr]:
    """What a module asks the environment for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is_environ(node.value):
            yield node.slice
        elif isinstance(node, ast.Compare) and _is_environ(node.comparators[0]):
            yield node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            asks_a_mapping = node.func.attr in ("get", "setdefault", "pop") and _is_environ(node.func.value)
            if asks_a_mapping or node.func.attr == "getenv":
                yield node.args[0]


def _read(path: Path) -> set[str]:
    """The variables that a module reads."""
    text = path.read_text(encoding="utf-8")
    found = {name for call, names in BY_THE_STANDARD_LIBRARY.items() if f"{call}(" in text for name in names}
    for name in _names(ast.parse(text)):
        if isinstance(name, ast.Constant):
            found.add(name.value)
        else:
            found |= NAMED_ELSEWHERE[path.name, ast.unparse(name)]
    return found


def test_the_table_names_every_variable_that_is_read_and_no_other() -> None:
    sources = [path for folder in ("evalsuite", "tasks") for path in (ROOT / folder).rglob("*.py")]
    read = set[str]().union(*map(_read, sources))
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([A-Z_0-9]+)` \|", page.partition("| variable of a library |")[0], re.MULTILINE)

    assert sorted(table) == sorted(read)


def test_names_that_are_no_literals_are_those_the_code_has() -> None:
    from evalsuite.engines.openai.options import KEY_ENV
    from evalsuite.engines.vllm.worker import ENVIRONMENT

    assert NAMED_ELSEWHERE["options.py", "self.key_env"] == {KEY_ENV}
    assert NAMED_ELSEWHERE["worker.py", "name"] == set(ENVIRONMENT)


def test_the_cache_folder_is_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path / "cache"))
    assert Cache().folder == tmp_path / "cache"
    assert Cache().lock.path == tmp_path / "cache" / "evalsuite-data.lock.json"
    monkeypatch.setenv("EVALSUITE_CACHE", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Cache().folder == tmp_path / ".cache" / "evalsuite"


def test_the_mirror_stands_in_for_the_hub_and_its_checksums_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "owner" / "name").mkdir(parents=True)
    (mirror / "owner" / "name" / "a.jsonl").write_text('{"n": 1}\n')
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EVALSUITE_MIRROR", str(mirror))
    (file,) = open_source(DATA, None, split="test").find("a.jsonl")
    assert [row.whole("n") for row in file.records()] == [1]
    (mirror / "owner" / "name" / "a.jsonl").write_text('{"n": 2}\n')
    with pytest.raises(UsageError, match="the file was changed or damaged"):
        open_source(DATA, None, split="test").find("a.jsonl")
    monkeypatch.setenv("EVALSUITE_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="set EVALSUITE_MIRROR to one that does"):
        open_source(DATA, None, split="test")
