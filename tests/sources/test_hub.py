import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
from hub_server import COMMIT, State, serving

READ = """
import json, sys
from pathlib import Path
from evalsuite.errors import UsageError
from evalsuite.sources import data_fetch, data_list, data_verify, open_source
from evalsuite.task import Dataset, HubFile

HUB = (
    HubFile("owner/name", "data/validation-*.jsonl", "validation"),
    HubFile("owner/name", "packed.zip::in/test.jsonl", "test"),
    HubFile("owner/name", "lost.jsonl", "train"),
)
DATA = Dataset("thing", "https://example.org/thing", "MIT", "Somebody 2024", "Get thing.jsonl", HUB)


class Task:
    name, dataset = "thing", DATA


def read(split, pattern):
    source = open_source(DATA, None, split=split)
    rows = [dict(row.value) for file in source.need(pattern) for row in file.records()]
    return {"rows": rows, "used": [[u.name, u.sha256, u.revision] for u in source.used]}


try:
    print(json.dumps(eval(sys.argv[1])))
except UsageError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


class Hub:
    """A hub on the loopback interface and a suite that reads from it in a process of its own."""

    def __init__(self, state: State, cache: Path) -> None:
        self.state, self.cache = state, cache

    def run(self, expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "EVALSUITE_"))}
        env = {
            **kept,
            "HF_ENDPOINT": self.state.endpoint,
            "HF_HOME": str(self.cache / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "EVALSUITE_CACHE": str(self.cache),
            "NO_PROXY": "127.0.0.1",
            **environment,
        }
        code = [sys.executable, "-c", READ, expression]
        return subprocess.run(code, env=env, capture_output=True, text=True, check=False, timeout=60)

    def read(self, split: str = "validation", pattern: str = "data/validation-*.jsonl", **environment: str) -> dict:  # type: ignore[type-arg]
        done = self.run(f"read({split!r}, {pattern!r})", **environment)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def refuse(self, expression: str, **environment: str) -> str:
        done = self.run(expression, **environment)
        assert done.returncode == 2, done.stdout + done.stderr
        return done.stderr.strip().splitlines()[-1]


VALIDATION = "read('validation', 'data/validation-*.jsonl')"


def content() -> dict[str, bytes]:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("in/test.jsonl", '{"n": 3}\n')
    return {
        "data/validation-0.jsonl": b'{"n": 1}\n',
        "data/validation-1.jsonl": b'{"n": 2}\n',
        "packed.zip": packed.getvalue(),
        "script.py": b"raise SystemExit('a dataset script was run')",
    }


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with serving(State(content())) as state:
        yield Hub(state, tmp_path / "cache")


def test_files_are_fetched_at_the_resolved_commit_recorded_and_not_fetched_twice(hub: Hub) -> None:
    first = hub.read()
    assert first["rows"] == [{"n": 1}, {"n": 2}]
    digest = sha256(b'{"n": 1}\n').hexdigest()
    assert first["used"][0] == ["owner/name/data/validation-0.jsonl", digest, COMMIT]
    lock = json.loads((hub.cache / "evalsuite-data.lock.json").read_text())
    assert lock["commits"] == {"owner/name@main": COMMIT}
    assert lock["files"]["owner/name@main/data/validation-0.jsonl"] == digest
    hub.state.asked.clear()
    hub.state.commit = "f" * 40
    assert hub.read() == first, "a hub that moved on must not change what is read"
    assert not [line for line in hub.state.asked if line.startswith("GET /datasets")]
    assert not any("script" in line for line in hub.state.asked)


def test_offline_reads_what_was_fetched_and_names_what_is_missing(hub: Hub) -> None:
    first = hub.read()
    assert hub.read(HF_HUB_OFFLINE="1") == first
    message = hub.refuse("read('test', 'test.jsonl')", HF_HUB_OFFLINE="1")
    assert "offline" in message
    assert "packed.zip is not in" in message
    assert "EVALSUITE_MIRROR" in message


def test_a_member_of_a_zip_is_read_without_extraction(hub: Hub) -> None:
    found = hub.read("test", "test.jsonl")
    assert found["rows"] == [{"n": 3}]
    assert found["used"][0][0] == "owner/name/packed.zip::in/test.jsonl"
    assert not list(hub.cache.rglob("test.jsonl"))


def test_a_file_whose_content_changed_is_refused_with_both_checksums(hub: Hub) -> None:
    hub.read()
    (file,) = hub.cache.glob("hub/**/snapshots/*/data/validation-0.jsonl")
    real = file.resolve()
    real.chmod(0o644)
    real.write_bytes(b'{"n": 9}\n')
    message = hub.refuse(VALIDATION)
    assert sha256(b'{"n": 9}\n').hexdigest() in message
    assert sha256(b'{"n": 1}\n').hexdigest() in message
    done = hub.run("[list(e.problems) for e in data_verify([Task]).entries]")
    assert "validation-0.jsonl" in json.loads(done.stdout)[0][0]


def test_a_gated_repository_says_where_to_accept_the_terms(hub: Hub) -> None:
    hub.state.gated = True
    message = hub.refuse("read('test', 'test.jsonl')")
    assert f"{hub.state.endpoint}/datasets/owner/name is gated" in message
    assert "HF_TOKEN" in message


def test_a_file_the_repository_lacks_is_named(hub: Hub) -> None:
    assert "has no file lost.jsonl" in hub.refuse("read('train', 'lost.jsonl')")


def test_a_listing_that_leads_out_of_its_dataset_is_refused_before_anything_is_fetched(hub: Hub) -> None:
    hub.state.files["data/validation-/../../../x.jsonl"] = b"{}"
    assert "leads out of it; do not use this dataset" in hub.refuse(VALIDATION)
    assert not any("/resolve/" in line for line in hub.state.asked)


def test_an_answer_of_the_hub_that_is_no_listing_is_one_clear_line(hub: Hub) -> None:
    hub.state.listing = b'{"id": "owner/name", "sha": "%s", "siblings": 5}' % COMMIT.encode()
    assert "answered what is no listing" in hub.refuse(VALIDATION)
    hub.state.listing = b'{"id": "owner/name", "sha": "../../x", "siblings": []}'
    assert "which is no commit" in hub.refuse(VALIDATION)
    hub.state.listing = b"[" * 100_000
    assert "owner/name: " in hub.refuse(VALIDATION)


def test_an_unreachable_hub_is_one_clear_line(hub: Hub) -> None:
    message = hub.refuse(VALIDATION, HF_ENDPOINT="http://127.0.0.1:9")
    assert "cannot fetch" in message
    assert "EVALSUITE_MIRROR" in message


def test_a_mirror_folder_stands_in_for_the_hub_and_is_held_to_the_same_checksums(hub: Hub, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    for name, data in content().items():
        (mirror / "owner/name" / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / "owner/name" / name).write_bytes(data)
    first = hub.read(EVALSUITE_MIRROR=str(mirror))
    assert first["rows"] == [{"n": 1}, {"n": 2}]
    assert hub.state.asked == []
    (mirror / "owner/name/data/validation-1.jsonl").write_bytes(b'{"n": 7}\n')
    assert "was recorded for" in hub.refuse(VALIDATION, EVALSUITE_MIRROR=str(mirror))
    (mirror / "owner/name/data/validation-1.jsonl").unlink()
    assert "is missing; copy data/validation-1.jsonl" in hub.refuse(VALIDATION, EVALSUITE_MIRROR=str(mirror))


def test_a_download_whose_connection_breaks_resumes_where_it_stopped(hub: Hub) -> None:
    data = (b'{"n": "' + b"x" * 1_000_000 + b'"}\n') * 14
    hub.state.files = {"data/validation-0.jsonl": data}
    hub.state.break_after = 12_000_000  # the client counts pieces of 10 MiB
    done = hub.run("len(read('validation', 'data/validation-*.jsonl')['rows'])")
    assert done.stdout.strip() == "14", done.stderr
    assert any(line.startswith("RESUMED at ") for line in hub.state.asked)


def test_fetch_list_and_verify_show_terms_commit_and_checksum(hub: Hub) -> None:
    before = json.loads(hub.run("data_list([Task])").stdout)
    assert {"  licence   MIT", "  citation  Somebody 2024"} <= set(before)
    assert sum("not fetched" in line for line in before) == 3
    fetched = json.loads(hub.run("list(data_fetch([Task], splits=['validation', 'test']))").stdout)
    assert sum(line.startswith("  recorded") and f"commit {COMMIT}" in line for line in fetched) == 3
    after = json.loads(hub.run("data_verify([Task]).lines()").stdout)
    assert sum(line.startswith("  verified") for line in after) == 3
    assert sum("not fetched" in line for line in after) == 1
