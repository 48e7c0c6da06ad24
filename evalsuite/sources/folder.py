"""The files of a dataset in a local folder, in the publisher's own layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from evalsuite.errors import MissingDataError
from evalsuite.records import DataFileRecord
from evalsuite.sources.file import DataFile
from evalsuite.sources.storage import Stored, members, sha256
from evalsuite.task import Dataset


class Ledger:
    """Notes for the reader of the run, and the files that were read, with their checksums."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._notes: dict[str, None] = {}
        self._used: dict[str, DataFileRecord] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the data for the reader of the run, each once, in order."""
        return tuple(self._notes)

    @property
    def used(self) -> tuple[DataFileRecord, ...]:
        """Every file read so far with the SHA-256 of its stored bytes (of the archive, for a member of one)."""
        return tuple(self._used.values())

    def note(self, text: str) -> None:
        """Adds a note for the reader of the run. A repeated text is kept once."""
        self._notes[text] = None

    def record(self, name: str, path: Path, *, sha: str | None = None, revision: str | None = None) -> None:
        """Puts a file on the list of those read."""
        if name not in self._used:
            self._used[name] = DataFileRecord(self._task, name, sha or sha256(path), revision)


class FolderSource(Ledger):
    """Files of one dataset in a local folder: plain, ``.gz``, or members of zip files in it."""

    def __init__(self, dataset: Dataset, root: Path, task: str) -> None:
        super().__init__(task)
        self._dataset, self._root = dataset, root
        below = root / dataset.folder
        self._folder = below if below.is_dir() else root
        self._members: dict[Path, list[str]] | None = None

    def find(self, *patterns: str) -> tuple[DataFile, ...]:
        """Files that match one of the glob patterns (also with ``.gz``), sorted by name; empty if there is none."""
        found: dict[str, DataFile] = {}
        for pattern in patterns:
            for name, stored in (*self._plain(pattern), *self._zipped(pattern)):
                # a file beats its packed twin: both are found under one name, the plain one first
                found.setdefault(name, DataFile(name, stored, self._reading, self.note))
        return tuple(found[name] for name in sorted(found))

    def need(self, *patterns: str) -> tuple[DataFile, ...]:
        """As ``find``.

        Raises:
            MissingDataError: no file matches; says what to get, from where, and where to put it.
        """
        found = self.find(*patterns)
        if not found:
            raise missing(self._dataset, patterns, self._root)
        return found

    def _plain(self, pattern: str) -> Iterator[tuple[str, Stored]]:
        for packed in ("", ".gz"):
            for path in self._folder.glob(pattern + packed):
                if path.is_file() and path.suffix != ".zip":
                    name = path.relative_to(self._folder).as_posix().removesuffix(".gz")
                    yield name, Stored(path)

    def _zipped(self, pattern: str) -> Iterator[tuple[str, Stored]]:
        if self._members is None:
            self._members = {path: members(path) for path in sorted(self._folder.glob("*.zip"))}
        for path, names in self._members.items():
            for name in names:
                if PurePosixPath(name).match(pattern):
                    yield f"{path.name}::{name}", Stored(path, name)

    def _reading(self, file: DataFile) -> None:
        self.record(file.name, file.stored.path)


def missing(dataset: Dataset, patterns: tuple[str, ...], root: Path) -> MissingDataError:
    """The error for missing data: what to get, where to find it, where to put it."""
    wanted = " or ".join(patterns)
    hub = "; or leave out --data (and EVALSUITE_DATA) to fetch from the Hugging Face hub" if dataset.hub else ""
    place = f"put it below {root / dataset.folder}"
    return MissingDataError(
        f"no data for {dataset.folder!r}: {wanted} not found in {root}. "
        f"{dataset.instructions} ({dataset.homepage}); {place}{hub}."
    )
