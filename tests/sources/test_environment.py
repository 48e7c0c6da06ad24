"""Every environment variable the package reads is documented in one table, and does what the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalsuite.errors import UsageError
from evalsuite.sources import Cache, open_source
from evalsuite.task import Dataset, HubFile

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r"""(?:environ(?:\.get)?[\[(]|getenv\(|KEY_ENV = )["']([A-Z_]+)["']""")
DATA = Dataset("thing", "h", "l", "c", "i", (HubFile("owner/name", "a.jsonl", "test"),))


def test_the_table_names_every_variable_that_is_read_and_no_other() -> None:
    sources = (path for folder in ("evalsuite", "tasks") for path in (ROOT / folder).rglob("*.py"))
    read = {name for path in sources for name in READ.findall(path.read_text(encoding="utf-8"))}
    table = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "data.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"EVALSUITE_DATA", "EVALSUITE_CACHE", "EVALSUITE_MIRROR"} <= read
    assert sorted(table) == sorted(read)


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
