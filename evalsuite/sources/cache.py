"""Files of the hub by commit and checksum. The first download records both; every later use checks them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.sources.hub import Hub, HuggingFace, Mirror
from evalsuite.sources.lock import COMMIT, Lock, inside
from evalsuite.sources.storage import sha256
from evalsuite.task import HubFile


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of the hub on this machine. Its checksum is verified, or recorded the first time."""

    path: Path
    sha256: str
    commit: str | None
    first: bool
    """Whether its checksum was recorded now."""


class Cache:
    """The folder of downloaded files, with its lock file."""

    def __init__(self, folder: Path | None = None, mirror: Path | None = None) -> None:
        """Opens the folder given, else ``EVALSUITE_CACHE``, else ``~/.cache/evalsuite``; the mirror likewise."""
        self.folder = folder or Path(os.environ.get("EVALSUITE_CACHE") or Path.home() / ".cache" / "evalsuite")
        mirrored = mirror or (Path(os.environ["EVALSUITE_MIRROR"]) if os.environ.get("EVALSUITE_MIRROR") else None)
        self._hub: Hub = HuggingFace(self.folder) if mirrored is None else Mirror(mirrored)
        self.lock = Lock(self.folder)

    def check(self) -> None:
        """Says what is missing for files to be fetched.

        Raises:
            UsageError: the package for it is not installed.
        """
        self._hub.check()

    def expand(self, file: HubFile) -> Iterator[HubFile]:
        """The files a declared one stands for: itself, or all that match its glob pattern.

        Raises:
            UsageError: nothing matches, or the hub cannot be asked.
        """
        if "*" not in file.path:
            yield file
            return
        key = name_of(file)
        paths = self.lock.listing(key) or self._hub.listing(file.repo, self.revision(file), file.path)
        if not paths:
            raise UsageError(f"dataset {file.repo}: no file {file.path}; the repository may have changed")
        for path in paths:
            if not inside(path):
                raise UsageError(f"dataset {file.repo}: lists {path!r}, which leads out of it; do not use this dataset")
        self.lock.record("listings", key, list(paths))
        yield from (replace(file, path=path) for path in paths)

    def fetch(self, file: HubFile) -> Fetched:
        """One file, downloaded if need be.

        Raises:
            UsageError: it cannot be had, or its content is not what was recorded.
        """
        archive = replace(file, path=archive_of(file))
        revision, name = self.revision(archive), name_of(archive)
        path = self._hub.file(file.repo, revision, archive.path)
        found, expected = sha256(path), file.sha256 or self.lock.sha256(name)
        if expected is not None and found != expected:
            raise UsageError(
                f"{path}: SHA-256 is {found}, but {expected} was recorded for {name} in {self.lock.path}; "
                "the file was changed or damaged: delete it and fetch again"
            )
        self.lock.record("files", name, found)
        return Fetched(path, found, self.pinned(archive), first=expected is None)

    def revision(self, file: HubFile) -> str:
        """The commit to read. The first use looks it up and records it. If it is unknown, the branch or tag itself."""
        pinned, ref = self.pinned(file), file.revision or "main"
        if pinned is None and (pinned := self._hub.commit(file.repo, ref, archive_of(file))) is not None:
            if not COMMIT.fullmatch(pinned):
                raise UsageError(f"dataset {file.repo}: the hub names {pinned[:60]!r}, which is no commit; try again")
            self.lock.record("commits", _repository(file), pinned)
        return pinned or ref

    def pinned(self, file: HubFile) -> str | None:
        """The commit declared or recorded."""
        if file.revision is not None and COMMIT.fullmatch(file.revision):
            return file.revision
        return self.lock.commit(_repository(file))


def name_of(file: HubFile) -> str:
    """The name a file has in the lock file: ``owner/name@ref/path``."""
    return f"{_repository(file)}/{archive_of(file)}"


def archive_of(file: HubFile) -> str:
    """The path of the stored file: that of the zip for a member of one."""
    return file.path.partition("::")[0]


def _repository(file: HubFile) -> str:
    return f"{file.repo}@{file.revision or 'main'}"
