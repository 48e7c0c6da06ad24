"""Files that several processes share: replaced whole or not at all, held by one at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made import environment

from evalsuite.errors import UsageError
from evalsuite.shared_files import held, write_atomic, write_pieces
from evalsuite.sources import lock

HOLD = """
import sys
from pathlib import Path
from evalsuite.shared_files import held

with held(Path(sys.argv[1]), lambda _: None) as file:
    file.write(b"me")
    file.flush()
    print("held", flush=True)
    sys.stdin.read()
"""


def _fail(_: bytes) -> None:
    raise UsageError("held by another")


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds ``evalsuite-data.lock.json.lock``."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / f"{lock.FILE}.lock")]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_file_is_replaced_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    write_atomic(path, b"old")
    with pytest.raises(OSError, match="No space"):
        write_pieces(path, broken())
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])
    write_pieces(path, (b"n", b"ew"))
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"new", [path])


def test_a_held_file_is_waited_for_and_let_go_of_when_its_holder_is_killed(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    path = tmp_path / f"{lock.FILE}.lock"
    with pytest.raises(UsageError, match="held by another"), held(path, _fail):
        pass
    seen: list[bytes] = []

    def wait(content: bytes) -> None:
        seen.append(content)
        if len(seen) == 2:
            holder.kill()

    with held(path, wait) as file:
        file.seek(0)
        assert file.read() == b"me"
    assert set(seen) == {b"me"}


def test_an_entry_that_another_process_keeps_from_being_written_is_one_line(
    tmp_path: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    entries = lock.Lock(tmp_path)
    with pytest.raises(UsageError, match="another process has held it"):
        entries.record("files", "a", "0" * 64)
    holder.kill()
    entries.record("files", "a", "0" * 64)
    assert entries.sha256("a") == "0" * 64
    assert not [path for path in tmp_path.iterdir() if path.name not in (lock.FILE, f"{lock.FILE}.lock")]
