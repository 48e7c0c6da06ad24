import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.sources import FolderSource, Inventory, data_verify, inventory, open_source
from evalsuite.task import Dataset, HubFile

DATA = Dataset("thing", "https://example.org/thing", "MIT", "Somebody 2024", "Get thing.jsonl of the Thing page")


def at(root: Path | None) -> Any:
    return open_source(DATA, root, split="validation", task="mine")


def test_gzip_is_transparent_and_the_hash_is_of_the_stored_bytes(tmp_path: Path) -> None:
    (tmp_path / "val.jsonl.gz").write_bytes(gzip.compress(b'{"n": 1}\n'))
    source = at(tmp_path)
    (file,) = source.find("val.jsonl")
    assert file.name == "val.jsonl"
    assert source.used == ()
    assert [row.whole("n") for row in file.records()] == [1]
    (used,) = source.used
    assert (used.task, used.name, used.revision) == ("mine", "val.jsonl", None)
    assert used.sha256 == sha256((tmp_path / "val.jsonl.gz").read_bytes()).hexdigest()


def test_the_datasets_own_folder_is_preferred_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "val.jsonl").write_text('{"n": 1}')
    assert [row.whole("n") for row in at(tmp_path).need("val.jsonl")[0].records()] == [1]
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "val.jsonl").write_text('{"n": 2}')
    assert [row.whole("n") for row in at(tmp_path).need("val.jsonl")[0].records()] == [2]


def test_a_plain_file_beats_its_packed_twin_and_names_are_sorted(tmp_path: Path) -> None:
    for name, text in (("b.jsonl", '{"n": 1}'), ("a.jsonl", '{"n": 3}')):
        (tmp_path / name).write_text(text)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"n": 2}'))
    found = at(tmp_path).find("*.jsonl")
    assert [(file.name, row.whole("n")) for file in found for row in file.records()] == [("a.jsonl", 3), ("b.jsonl", 1)]


def test_missing_data_says_what_to_get_from_where_and_where_to_put_it(tmp_path: Path) -> None:
    assert at(tmp_path).find("val.jsonl") == ()
    with pytest.raises(UsageError) as caught:
        at(tmp_path).need("val.jsonl")
    for part in (
        "val.jsonl",
        "Get thing.jsonl of the Thing page",
        "https://example.org/thing",
        str(tmp_path / "thing"),
    ):
        assert part in str(caught.value)


def test_a_data_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere does not exist"):
        at(tmp_path / "nowhere")


def test_without_a_folder_the_environment_decides_and_else_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALSUITE_DATA", str(tmp_path))
    assert isinstance(at(None), FolderSource)
    monkeypatch.delenv("EVALSUITE_DATA")
    with pytest.raises(UsageError, match=r"not fetched from the Hugging Face hub.*EVALSUITE_DATA"):
        at(None)
    hub = Dataset("thing", "h", "l", "c", "i", (HubFile("o/n", "x.jsonl", "test"),))
    with pytest.raises(UsageError, match=r"validation \(x\.jsonl\)"):
        open_source(hub, None, split="validation").need("x.jsonl")


def test_notes_are_kept_once(tmp_path: Path) -> None:
    source = at(tmp_path)
    for text in ("one", "two", "one"):
        source.note(text)
    assert source.notes == ("one", "two")


class Reads:
    name, dataset = "mine", DATA


def test_local_files_are_recorded_once_and_a_later_change_or_loss_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "data"
    (root / "thing").mkdir(parents=True)
    for name in ("a", "b"):
        (root / "thing" / name).write_text(name)

    def states(found: Inventory) -> list[str]:
        return [file.state for entry in found.entries for file in entry.files]

    task: Any = Reads
    assert states(inventory([task], root)) == ["present", "present"]
    assert states(data_verify([task], root)) == ["recorded", "recorded"]
    assert states(data_verify([task], root)) == ["verified", "verified"]
    (root / "thing" / "a").write_text("other")
    (root / "thing" / "b").unlink()
    assert data_verify([task], root / "..").ok
    found = data_verify([task], root)
    assert not found.ok
    assert states(found) == states(data_verify([task], root)) == ["changed", "missing"]
    assert sha256(b"a").hexdigest() in found.entries[0].problems[0]
    assert "recorded earlier, now gone" in found.entries[0].problems[1]


@pytest.mark.parametrize("content", ["nonsense", "[]", '{"version": 99}', '{"files": {}}'])
def test_a_lock_file_that_cannot_be_read_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path))
    lock = tmp_path / "evalsuite-data.lock.json"
    lock.write_text(content)
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "a").write_text("a")
    task: Any = Reads
    with pytest.raises(UsageError, match=r"lock\.json: .*fetch again"):
        data_verify([task], tmp_path)
    assert lock.read_text() == content


def test_a_listing_shows_licence_and_citation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path))
    task: Any = Reads
    found = inventory([task, task])
    assert found.ok
    assert found.lines()[0] == "thing  (tasks: mine, mine)"
    assert {"  licence   MIT", "  citation  Somebody 2024"} <= set(found.lines())
