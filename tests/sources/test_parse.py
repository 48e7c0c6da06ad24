import gzip
import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from evalsuite.errors import UsageError
from evalsuite.sources import open_source
from evalsuite.sources.file import DataFile
from evalsuite.sources.row import Record
from evalsuite.task import Dataset

DATA = Dataset("thing", "h", "l", "c", "i")


def file(path: Path, pattern: str = "") -> DataFile:
    source = open_source(DATA, path.parent, split="validation")
    return source.need(pattern or path.name.removesuffix(".gz"))[0]


def rows(path: Path, content: str | bytes) -> list[tuple[dict[str, Any], str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(dict(row.value), row.where.removeprefix(f"{path.parent}/")) for row in file(path).records()]


def refused(path: Path, content: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        rows(path, content)
    return str(caught.value).removeprefix(f"{path.parent}/")


def test_json_lines_are_rows_named_by_their_line_blank_lines_skipped(tmp_path: Path) -> None:
    assert rows(tmp_path / "a.jsonl", '\ufeff\n{"n": 1}\n\n{"n": 2}') == [
        ({"n": 1}, "a.jsonl:2"),
        ({"n": 2}, "a.jsonl:4"),
    ]


def test_a_json_list_is_rows_named_by_line_and_number(tmp_path: Path) -> None:
    listed = rows(tmp_path / "a.json", '[\n {"n":\n  1},\n {"n": 2}\n]\n')
    assert listed == [({"n": 1}, "a.json:2 (record 1)"), ({"n": 2}, "a.json:4 (record 2)")]
    assert rows(tmp_path / "a.json", "[ ]") == []


def test_csv_rows_are_named_by_their_first_line_whatever_their_fields_hold(tmp_path: Path) -> None:
    long = "x" * 200_000
    content = f'a,b\r\n1,"two\nlines"\r\n\r\n3,{long}\r\n'
    assert rows(tmp_path / "a.csv", content) == [
        ({"a": "1", "b": "two\nlines"}, "a.csv:2"),
        ({"a": "3", "b": long}, "a.csv:5"),
    ]


def test_parquet_rows_come_in_order(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = [{"n": n, "nested": {"texts": ["a", "b"]}} for n in range(40)]
    parquet.write_table(pa.Table.from_pylist(table), tmp_path / "a.parquet")
    found = list(file(tmp_path / "a.parquet").records())
    assert [row.whole("n") for row in found] == list(range(40))
    assert found[39].where.endswith("a.parquet:40")
    assert found[0].row("nested").texts("texts") == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"n": 1}\n{"n": \n', "a.jsonl:2: not valid JSON"),
        ("a.jsonl", '{"n": 1}\n[2]', "a.jsonl:2"),
        ("a.jsonl", "3\n", "a.jsonl:1: must be a JSON object, not int"),
        ("a.jsonl", b'{"n": 1}\n{"n": "\xff"}\n', "a.jsonl:2: not UTF-8"),
        ("a.jsonl", '{"n":' + "[" * 200_000, "a.jsonl:1: JSON nested too deeply"),
        ("a.json", '[{"n": 1},\n{"n": }]', "a.json:2 (record 2): not valid JSON"),
        ("a.json", '[{"n": 1}\n{"n": 2}]', "a.json:1 (record 1): a comma or the end"),
        ("a.json", '[{"n": 1},\n 7]', "a.json:2 (record 2): must be a JSON object"),
        ("a.json", '[{"n": 1}', "a.json:1 (record 1): a comma or the end"),
        ("a.json", '[{"n": 1}, ', "a.json: the JSON list does not end"),
        ("a.json", '[{"n": 1}] [', "a.json: the JSON list does not end"),
        ("a.csv", "a,b\n1,2\n3\n", "a.csv:3: 1 fields where the header names 2 (a, b)"),
        ("a.csv", 'a,b\n1,"2\n', "a.csv:2: not valid CSV"),
        ("a.csv", b"a,b\n1,\xff\n", "not UTF-8"),
        ("a.parquet", "no parquet", "a.parquet: not a readable parquet file"),
        ("a.jsonl.gz", b"no gzip", "a.jsonl.gz: the file is damaged"),
        ("a.jsonl.gz", gzip.compress(b'{"n": 1}' * 99, mtime=0)[:-9], "a.jsonl.gz: the file is damaged"),
    ],
)
def test_a_broken_file_is_one_line_naming_file_and_place(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    told = refused(tmp_path / name, content)
    assert message in told
    assert "\n" not in told


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{}")
    found = file(path)
    path.unlink()
    with pytest.raises(UsageError, match=r"a\.jsonl: cannot be read \(No such file"):
        found.json()


def zipped(path: Path, **members: bytes) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return path


def test_a_zips_member_is_found_by_the_end_of_its_path_and_streamed(tmp_path: Path) -> None:
    zipped(tmp_path / "all.zip", QMSum__val__jsonl=b"", data__val=b'{"n": 5}')
    (found,) = open_source(DATA, tmp_path, split="validation").find("val")
    assert found.name == "all.zip::data/val"
    assert [row.whole("n") for row in found.records()] == [5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip"]


@pytest.mark.parametrize("name", ["../val", "/val", "a/../../val", "..\\val"])
def test_a_member_that_points_outside_its_archive_is_refused(tmp_path: Path, name: str) -> None:
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(UsageError, match="points outside the archive"):
        open_source(DATA, tmp_path, split="validation").find("val")


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    zipped(tmp_path / "all.zip", val=b"0" * (8 << 20))
    with pytest.raises(UsageError, match="looks like a zip bomb"):
        list(file(tmp_path / "val", "val").records())
    (tmp_path / "gz.jsonl.gz").write_bytes(gzip.compress(b" " * (8 << 20)))
    with pytest.raises(UsageError, match="unpacks to more than 250 times its size"):
        list(file(tmp_path / "gz.jsonl").records())


def test_a_file_that_is_no_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_text("no zip")
    with pytest.raises(UsageError, match=r"all\.zip: not a readable zip file"):
        open_source(DATA, tmp_path, split="validation").find("val")


ROW = Record(
    {"s": "text", "n": 3, "d": " -4 ", "l": ["a", 1], "o": {"x": [{"y": "z"}]}, "none": None, "b": True}, "f:7"
)


def test_fields_are_read_by_kind() -> None:
    assert (ROW.text("s"), ROW.whole("n"), ROW.whole("d")) == ("text", 3, -4)
    assert ROW.row("o").rows("x")[0].text("y") == "z"
    assert (ROW.get("none", 5), ROW.get("absent"), ROW.names()[:2]) == (5, None, ["s", "n"])


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda row: row.text("n"), "f:7: field 'n' must be a string, not 3"),
        (lambda row: row.text("none"), "f:7: field 'none' is missing (the record has: s, n, d, l, o, none, b)"),
        (lambda row: row.whole("s"), "f:7: field 's' must be a whole number, not 'text'"),
        (lambda row: row.whole("b"), "f:7: field 'b' must be a whole number, not True"),
        (lambda row: row.texts("l"), "f:7: field 'l[1]' must be a string, not 1"),
        (lambda row: row.texts("s"), "f:7: field 's' must be a list, not 'text'"),
        (lambda row: row.rows("l"), "f:7: field 'l[0]' must be an object, not 'a'"),
        (lambda row: row.row("l"), "f:7: field 'l' must be an object, not ['a', 1]"),
        (lambda row: row.row("o").rows("x")[0].whole("y"), "f:7: field 'o.x[0].y' must be a whole number, not 'z'"),
        (lambda _: Record({"t": "a\0b"}, "f:1").text("t"), "f:1: field 't' holds a NUL character"),
        (lambda _: Record({"t": ["\ud800"]}, "f:1").texts("t"), "f:1: field 't[0]' holds half of a surrogate pair"),
        (lambda row: row.text("x" * 9), f"f:7: field '{'x' * 9}' is missing"),
    ],
)
def test_a_wrong_field_names_file_line_and_field(read: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(ROW)
    assert message in str(caught.value)


def test_one_json_object_is_read_whole_and_a_list_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"p": {"n": 1}}, indent=1))
    assert file(tmp_path / "a.json").json().row("p").whole("n") == 1
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(UsageError, match=r"a\.json:1: must be a JSON object, not list"):
        file(tmp_path / "a.json").json()
