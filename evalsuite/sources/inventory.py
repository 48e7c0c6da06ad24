"""What ``evalsuite data list | fetch | verify`` tells: every dataset with its terms, and the state of its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from evalsuite.errors import UsageError
from evalsuite.sources.cache import Cache, archive_of, name_of
from evalsuite.sources.storage import sha256
from evalsuite.task import Dataset, HubFile, Task

State: TypeAlias = Literal["not fetched", "present", "locked", "recorded", "verified", "changed", "missing"]
"""``present``: in the data folder; ``locked``: fetched before; ``recorded``: checksum written down now;
``verified``: equal to the one written down."""


@dataclass(frozen=True, slots=True)
class DataFileStatus:
    """One file of a dataset and what is known of it."""

    name: str
    """``owner/name@ref/path`` on the hub, else the path below the data folder."""
    state: State
    revision: str | None = None
    """Commit; None where it is not known (yet), and for a local file."""
    sha256: str | None = None
    detail: str = ""
    """What is wrong and what to do; empty when nothing is."""

    @property
    def line(self) -> str:
        """One line for the terminal."""
        known = [f"commit {self.revision}" if self.revision else "", f"sha256 {self.sha256}" if self.sha256 else ""]
        return "  ".join(filter(None, (f"  {self.state:<11} {self.name}", *known, self.detail)))


@dataclass(frozen=True, slots=True)
class DataEntry:
    """One dataset: its terms, the tasks that read it, its files."""

    dataset: Dataset
    tasks: tuple[str, ...]
    files: tuple[DataFileStatus, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Files that are missing or not what was recorded."""
        return tuple(f"{file.name}: {file.detail}" for file in self.files if file.state in ("changed", "missing"))

    @property
    def lines(self) -> tuple[str, ...]:
        """The entry for the terminal: terms first, then a line a file."""
        data = self.dataset
        return (
            f"{data.folder}  (tasks: {', '.join(self.tasks)})",
            f"  home      {data.homepage}",
            f"  licence   {data.licence}",
            f"  citation  {data.citation}",
            f"  get       {data.instructions}; put it below DIR/{data.folder} and give --data DIR",
            *(file.line for file in self.files),
        )


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every dataset asked about."""

    entries: tuple[DataEntry, ...]

    @property
    def ok(self) -> bool:
        """Whether no file is missing or changed."""
        return not any(entry.problems for entry in self.entries)

    def lines(self) -> tuple[str, ...]:
        """All entries for the terminal."""
        return tuple(line for entry in self.entries for line in entry.lines)


def inventory(tasks: Iterable[Task], root: Path | None = None) -> Inventory:
    """Every dataset of the tasks with what is known of its files, without fetching or reading any.

    Args:
        tasks: whose data.
        root: the data folder, None for ``EVALSUITE_DATA``; its files are named beside those of the hub.
    """
    cache = Cache()
    return _entries(tasks, lambda data: (*_known(data, cache), *_present(data, root)))


def data_list(tasks: Iterable[Task], root: Path | None = None) -> tuple[str, ...]:
    """The lines of ``inventory``."""
    return inventory(tasks, root).lines()


def data_fetch(tasks: Iterable[Task], *, splits: Sequence[str] = (), mirror: Path | str | None = None) -> Iterator[str]:
    """Fetches what the hub has, at pinned commits; what was fetched before is verified.

    Args:
        tasks: whose data.
        splits: which splits; all when empty.
        mirror: a folder with the hub's files; None takes ``EVALSUITE_MIRROR``, else the hub.

    Yields:
        A line before and after each file.

    Raises:
        UsageError: a file cannot be had, or is not what was recorded.
    """
    cache = Cache(mirror=None if mirror is None else Path(mirror))
    cache.check()
    for entry in _entries(tasks, lambda _: ()).entries:
        yield from entry.lines
        yield from _fetched(entry.dataset, cache, splits)


def data_verify(tasks: Iterable[Task], root: Path | None = None, *, mirror: Path | str | None = None) -> Inventory:
    """Checks every file fetched before, and every file in the data folder, against the checksums recorded.

    A local file seen for the first time is recorded.

    Args:
        tasks: whose data.
        root: the data folder, None for ``EVALSUITE_DATA``.
        mirror: as in ``data_fetch``.
    """
    cache = Cache(mirror=None if mirror is None else Path(mirror))
    return _entries(tasks, lambda data: (*_verified(data, cache), *_checked(data, cache, root)))


def _entries(tasks: Iterable[Task], files: Callable[[Dataset], tuple[DataFileStatus, ...]]) -> Inventory:
    names: dict[Dataset, list[str]] = {}
    for task in tasks:
        names.setdefault(task.dataset, []).append(task.name)
    return Inventory(tuple(DataEntry(data, tuple(of), files(data)) for data, of in names.items()))


def _archives(data: Dataset, cache: Cache) -> Iterator[HubFile]:
    """Every stored file of the hub once: patterns by the listing recorded, zips without their members."""
    seen = set[str]()
    for declared in data.hub:
        paths = cache.lock.listing(name_of(declared)) or (archive_of(declared),)
        for path in paths:
            file = HubFile(declared.repo, path, declared.split, declared.revision, declared.sha256)
            if name_of(file) not in seen:
                seen.add(name_of(file))
                yield file


def _known(data: Dataset, cache: Cache) -> Iterator[DataFileStatus]:
    for file in _archives(data, cache):
        found = cache.lock.sha256(name_of(file))
        state: State = "not fetched" if found is None else "locked"
        yield DataFileStatus(name_of(file), state, cache.pinned(file), found or file.sha256)


def _fetched(data: Dataset, cache: Cache, splits: Sequence[str]) -> Iterator[str]:
    if not data.hub:
        yield "  not on the hub: get it as said above"
    for declared in data.hub:
        if not splits or declared.split in splits:
            for file in cache.expand(declared):
                yield f"  fetching    {name_of(file)}"
                yield _fetch(file, cache).line


def _fetch(file: HubFile, cache: Cache) -> DataFileStatus:
    got = cache.fetch(file)
    return DataFileStatus(name_of(file), "recorded" if got.first else "verified", got.commit, got.sha256)


def _verified(data: Dataset, cache: Cache) -> Iterator[DataFileStatus]:
    for status, file in zip(_known(data, cache), _archives(data, cache), strict=True):
        if status.state == "not fetched":
            yield status
            continue
        try:
            yield _fetch(file, cache)
        except UsageError as error:
            yield DataFileStatus(status.name, "changed", status.revision, status.sha256, str(error))


def _folder(data: Dataset, root: Path | None) -> Path | None:
    if root is None and os.environ.get("EVALSUITE_DATA"):
        root = Path(os.environ["EVALSUITE_DATA"])
    if root is not None and not root.is_dir():
        raise UsageError(f"data folder {root} does not exist; give an existing one with --data or EVALSUITE_DATA")
    return None if root is None else root / data.folder


def _local(folder: Path | None) -> list[Path]:
    return [] if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())


def _present(data: Dataset, root: Path | None) -> Iterator[DataFileStatus]:
    for path in _local(_folder(data, root)):
        yield DataFileStatus(str(path), "present")


def _checked(data: Dataset, cache: Cache, root: Path | None) -> Iterator[DataFileStatus]:
    """Local files against what an earlier call wrote down; one that was written down and is gone is missing."""
    folder = _folder(data, root)
    present = {str(path.resolve()): path for path in _local(folder)}
    for name, path in present.items():
        found, expected = sha256(path), cache.lock.sha256(name)
        cache.lock.record("files", name, found)
        changed = expected is not None and found != expected
        detail = f"SHA-256 was {expected}; the file was changed: get it again" if changed else ""
        state: State = "changed" if changed else "verified" if expected else "recorded"
        yield DataFileStatus(str(path), state, None, found, detail)
    for name in () if folder is None else cache.lock.below(str(folder.resolve())):
        if name not in present:
            yield DataFileStatus(name, "missing", None, cache.lock.sha256(name), "recorded earlier, now gone")
