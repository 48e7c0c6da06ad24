"""Files that are not what they should be: one line that names the file and what is wrong, whatever they hold."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.sources import FolderSource, open_source
from evalsuite.sources.cache import Cache
from evalsuite.sources.lock import FILE, Lock, inside
from evalsuite.sources.row import Record
from evalsuite.task import Dataset, HubFile

DATA = Dataset("thing", "h", "l", "c", "i")
SIZE = 100_000


def read(root: Path, name: str) -> int:
    """Rows of a file, each of its fields read as text, as a reader would."""
    source = open_source(DATA, root, split="validation")
    assert isinstance(source, FolderSource)
    count = 0
    for file in source.need(name):
        for row in file.records():
            [row.text(field) for field in row.names()]
            count += 1
    return count


def refused(root: Path, name: str, content: bytes | None = None) -> str:
    if content is not None:
        (root / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read(root, name.removesuffix(".gz"))
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(f"{root}/", "")


_NOISE = random.Random(3)  # noqa: S311 - reproducible
ROWS = b"".join(b'{"n": "%s"}\n' % _NOISE.randbytes(9).hex().encode() for _ in range(400))


def outcome(root: Path, name: str) -> tuple[int, str]:
    """The rows of a file and what was said when it was refused, which is one line; nothing else may be raised."""
    try:
        return read(root, name), ""
    except UsageError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 1000
    return 0, said


def packed(method: int = zipfile.ZIP_DEFLATED, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in names or ("a.jsonl",):
            archive.writestr(name, ROWS)
    return stream.getvalue()


DIGITS = b"7" * 5000
FILES: dict[str, tuple[str, bytes, str]] = {
    "a deep list": ("a.json", b'[{"n": ' + b"[" * 200_000, "a.json:1 (record 1): JSON nested too deeply"),
    "a deep object": ("a.jsonl", b'{"n": ' * 100_000, "a.jsonl:1: JSON nested too deeply"),
    "digits in a list": ("a.json", b'[{"n": "x"},\n{"n": ' + DIGITS + b"}]", "a.json:2 (record 2): JSON nested"),
    "digits in a line": ("a.jsonl", b'{"n": ' + DIGITS + b"}", "a.jsonl:1: JSON nested too deeply, or with a number"),
    "a doubled key": ("a.jsonl", b'{"n": "a"}\n{"n": "a", "m": "b", "n": "c"}', "a.jsonl:2: field 'n' stands twice"),
    "a doubled key in a list": ("a.json", b'[{"n": {"x": 1, "x": 2}}]', "a.json:1 (record 1): field 'x' stands twice"),
    "a doubled column": ("a.csv", b"n,m,n\n1,2,3\n", "a.csv:1: the header names 'n' twice"),
    "a broken list's line": (
        "a.json",
        b'[\n{"n": "x"},\n{"n": }]',
        "a.json:3 (record 2): not valid JSON (Expecting value",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_malformed_file_is_one_line_naming_file_and_line(case: str, tmp_path: Path) -> None:
    name, content, said = FILES[case]
    assert said in refused(tmp_path, name, content)


def test_one_json_object_with_a_doubled_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"p1": {"t": 1},\n "p1": {"t": 2}}')
    with pytest.raises(UsageError, match=r"a\.json:1: field 'p1' stands twice in one object"):
        open_source(DATA, tmp_path, split="validation").need("a.json")[0].json()


@pytest.mark.parametrize("value", ["--5", "5" * 5000, "1e3", "", "-", 3.0, True, 10**30])
def test_what_is_no_whole_number_is_refused_or_read_as_it_is(value: Any) -> None:
    row = Record({"n": value}, "f:1")
    if value == 10**30:
        assert row.whole("n") == value
        return
    with pytest.raises(UsageError, match="f:1: field 'n' must be a whole number"):
        row.whole("n")


@pytest.mark.parametrize("value", [0, 1, "yes", [], {}])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="f:1: field 'b' must be true, false or null"):
        Record({"b": value}, "f:1").optional_truth("b")
    assert Record({"b": None}, "f:1").optional_truth("b") is None
    assert Record({}, "f:1").optional_text("b") is None


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        (tmp_path / "all.zip").write_bytes(packed(zipfile.ZIP_DEFLATED, "a.jsonl", "b.jsonl", "a.jsonl"))
    assert "all.zip: holds 2 members named 'a.jsonl'" in refused(tmp_path, "a.jsonl")


def test_a_member_packed_in_an_unknown_way_is_named(tmp_path: Path) -> None:
    content = packed(zipfile.ZIP_STORED)
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = content.index(mark) + at
        content = content[:start] + (99).to_bytes(2, "little") + content[start + 2 :]
    (tmp_path / "all.zip").write_bytes(content)
    assert "all.zip::a.jsonl: packed in a way that cannot be read" in refused(tmp_path, "a.jsonl")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_named_however_it_is_packed(method: int, tmp_path: Path) -> None:
    content = bytearray(packed(method))
    content[60:90] = b"\xff" * 30
    (tmp_path / "all.zip").write_bytes(content)
    assert "all.zip::a.jsonl: " in refused(tmp_path, "a.jsonl")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_with_any_byte_changed_is_read_or_refused_in_one_line(method: int, tmp_path: Path) -> None:
    whole, draw = packed(method), random.Random(method)  # noqa: S311 - reproducible damage
    for _ in range(200):
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        (tmp_path / "all.zip").write_bytes(content)
        rows, said = outcome(tmp_path, "a.jsonl")
        assert rows == 400 or "all.zip" in said or "a.jsonl not found" in said


def parquet() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"n": "one", "m": "two"}] * 50), stream)
    return stream.getvalue()


def test_a_parquet_file_with_any_byte_changed_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    whole, draw = parquet(), random.Random(1)  # noqa: S311 - reproducible damage
    (tmp_path / "a.parquet").write_bytes(whole)
    assert read(tmp_path, "a.parquet") == 50
    for _ in range(25):
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        (tmp_path / "a.parquet").write_bytes(content)
        rows, said = outcome(tmp_path, "a.parquet")
        assert rows == 50 or "a.parquet" in said


NONSENSE: dict[str, bytes] = {
    "letters": b"x" * SIZE,
    "noise": random.Random(0).randbytes(SIZE),  # noqa: S311 - reproducible
    "brackets": b"[" * SIZE,
    "braces": b'{"a":' * (SIZE // 5),
    "quotes": b'"' * SIZE,
    "commas": b"," * SIZE,
    "lines": b"\n" * SIZE,
    "nothing": b"\0" * SIZE,
}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet", "a.jsonl.gz", "a.csv.gz", "all.zip"])
@pytest.mark.parametrize("case", NONSENSE)
def test_a_hundred_thousand_characters_of_nonsense_are_refused_or_hold_nothing(
    case: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(NONSENSE[case])
    rows, said = outcome(tmp_path, "*" if name == "all.zip" else name.removesuffix(".gz"))
    assert rows == 0
    assert not said or name in said


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_that_is_packed_well_is_refused_or_holds_nothing(case: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(NONSENSE[case]))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("b.csv", NONSENSE[case])
    for name in ("a.jsonl", "b.csv"):
        rows, said = outcome(tmp_path, name)
        assert rows == 0
        assert not said or name in said


LOCKS: dict[str, Any] = {
    "files as a list": {"version": 1, "files": []},
    "a checksum cut short": {"version": 1, "files": {"x": "ab12"}},
    "a checksum that is a number": {"version": 1, "files": {"x": 3}},
    "a commit that is none": {"version": 1, "commits": {"o/n@main": "../../x"}},
    "a listing that leads out": {"version": 1, "listings": {"x": ["a/../../b"]}},
    "a listing that is a text": {"version": 1, "listings": {"x": "abc"}},
}


@pytest.mark.parametrize("case", LOCKS)
def test_a_damaged_lock_file_is_named_with_its_entry(case: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps(LOCKS[case]))
    with pytest.raises(UsageError, match=r"lock\.json: '(files|commits|listings)'.* mend or delete the file"):
        Lock(tmp_path).sha256("x")


@pytest.mark.parametrize("content", ["[" * 100_000, '{"version": 1, "version": 1}', '{"version": ' + "7" * 5000 + "}"])
def test_a_lock_file_that_is_no_data_is_one_line(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(UsageError, match=r"lock\.json: not a lock file"):
        Lock(tmp_path).commit("o/n@main")


def test_a_cache_folder_that_cannot_be_written_names_the_variable_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="set EVALSUITE_CACHE to another folder"):
        Lock(tmp_path / "file" / "below").record("files", "x", "0" * 64)


@pytest.mark.parametrize("path", ["../x.jsonl", "/x.jsonl", "a/../../x.jsonl", "a\\x.jsonl", "x\0.jsonl", "", 3, None])
def test_a_listing_that_leads_out_of_its_dataset_is_refused(path: Any, tmp_path: Path) -> None:
    class Lists:
        def commit(self, *_: str) -> str:
            return "0" * 40

        def listing(self, *_: str) -> list[str]:
            return ["good.jsonl", path]

        def file(self, *_: str) -> Path:
            pytest.fail("nothing may be fetched")

    cache = Cache(tmp_path)
    cache._hub = Lists()
    with pytest.raises(UsageError, match=r"dataset o/n: lists .* leads out of it"):
        list(cache.expand(HubFile("o/n", "*.jsonl", "test")))
    assert cache.lock.listing("o/n@main/*.jsonl") is None
    assert inside("data/x-0001.jsonl")


@pytest.mark.parametrize("commit", ["main", "../../x", "0" * 39])
def test_a_commit_that_is_none_is_refused(commit: str, tmp_path: Path) -> None:
    class Names:
        def commit(self, *_: str) -> str:
            return commit

    cache = Cache(tmp_path)
    cache._hub = Names()  # type: ignore[assignment]
    with pytest.raises(UsageError, match="which is no commit"):
        cache.revision(HubFile("o/n", "a.jsonl", "test"))
