"""What ``evalsuite data list | fetch | verify`` tells: every dataset with its terms, and the state of its files."""

from __future__ import annotations

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
Say: TypeAlias = Callable[[str], None]


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


def data_list(tasks: Iterable[Task], root: Path | None = None) -> tuple[DataEntry, ...]:
    """Every dataset of the tasks with what is known of its files, without fetching or reading any.

    Args:
        tasks: whose data.
        root: the data folder; its files are named beside those of the hub.
    """
    cache = Cache()
    return _entries(tasks, lambda data: (*_known(data, cache), *_present(data, root)))


def data_fetch(
    tasks: Iterable[Task], *, splits: Sequence[str] = (), mirror: Path | None = None, say: Say = lambda _: None
) -> tuple[DataEntry, ...]:
    """Fetches what the hub has, at pinned commits; interrupted downloads resume.

    Args:
        tasks: whose data.
        splits: which splits; all when empty.
        mirror: a folder with the hub's files; None takes ``EVALSUITE_MIRROR``, else the hub.
        say: told a line before and after each file.

    Raises:
        UsageError: a file cannot be had, or is not what was recorded.
    """
    cache = Cache(mirror=mirror)
    return _entries(tasks, lambda data: tuple(_fetched(data, cache, splits, say)))


def data_verify(
    tasks: Iterable[Task], root: Path | None = None, *, mirror: Path | None = None
) -> tuple[DataEntry, ...]:
    """Checks every file fetched before, and every file in the data folder, against the checksums recorded.

    A local file seen for the first time is recorded. ``problems`` of an entry lists what changed or is missing.

    Args:
        tasks: whose data.
        root: the data folder, if any.
        mirror: as in ``data_fetch``.
    """
    cache = Cache(mirror=mirror)
    return _entries(tasks, lambda data: (*_verified(data, cache), *_checked(data, cache, root)))


def _entries(tasks: Iterable[Task], files: Callable[[Dataset], tuple[DataFileStatus, ...]]) -> tuple[DataEntry, ...]:
    names: dict[Dataset, list[str]] = {}
    for task in tasks:
        names.setdefault(task.dataset, []).append(task.name)
    return tuple(DataEntry(data, tuple(of), files(data)) for data, of in names.items())


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


def _fetched(data: Dataset, cache: Cache, splits: Sequence[str], say: Say) -> Iterator[DataFileStatus]:
    if not data.hub:
        say(f"{data.folder}: not on the hub. {data.instructions} ({data.homepage}); put it below DIR/{data.folder}")
    for declared in data.hub:
        if not splits or declared.split in splits:
            for file in cache.expand(declared):
                say(f"{name_of(file)} ...")
                status = _fetch(file, cache)
                say(status.line)
                yield status


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


def _local(data: Dataset, root: Path | None) -> list[Path]:
    folder = None if root is None else root / data.folder
    return [] if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())


def _present(data: Dataset, root: Path | None) -> Iterator[DataFileStatus]:
    for path in _local(data, root):
        yield DataFileStatus(str(path), "present")


def _checked(data: Dataset, cache: Cache, root: Path | None) -> Iterator[DataFileStatus]:
    """Local files against what an earlier call wrote down; one that was written down and is gone is missing."""
    present = {str(path.resolve()): path for path in _local(data, root)}
    for name, path in present.items():
        found, expected = sha256(path), cache.lock.sha256(name)
        cache.lock.record("files", name, found)
        changed = expected is not None and found != expected
        detail = f"SHA-256 was {expected}; the file was changed: get it again" if changed else ""
        state: State = "changed" if changed else "verified" if expected else "recorded"
        yield DataFileStatus(str(path), state, None, found, detail)
    folder = "" if root is None else str((root / data.folder).resolve())
    for name in cache.lock.below(folder) if folder else ():
        if name not in present:
            yield DataFileStatus(name, "missing", None, cache.lock.sha256(name), "recorded earlier, now gone")
