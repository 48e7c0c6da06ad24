"""The lock file: the commit of each hub repository, and the SHA-256 of every downloaded file."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.shared_files import held, write_atomic
from evalsuite.sources.parse import once

FILE = "evalsuite-data.lock.json"
VERSION = 1
PATIENCE = 60.0
"""Seconds to wait for another process that writes an entry."""

COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def inside(path: object) -> bool:
    """Whether a path of a repository stays in it: relative, without ``..``, in letters a path may have."""
    if not isinstance(path, str) or not path or path.startswith("/") or "\\" in path or "\0" in path:
        return False
    return ".." not in PurePosixPath(path).parts


SECTIONS: dict[str, Callable[[object], bool]] = {
    "commits": lambda value: isinstance(value, str) and COMMIT.fullmatch(value) is not None,
    "files": lambda value: isinstance(value, str) and _SHA256.fullmatch(value) is not None,
    "listings": lambda value: isinstance(value, list) and all(map(inside, value)),
}
"""The sections of the file, and whether an entry's value can be what was recorded."""


class Lock:
    """What was downloaded first, and must not change without an error. It is one JSON file, replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def commit(self, repository: str) -> str | None:
        """The commit pinned for ``owner/name@ref``, None before the first fetch."""
        return self._section("commits").get(repository)

    def listing(self, pattern: str) -> tuple[str, ...] | None:
        """The paths a glob pattern stood for at the first fetch."""
        paths = self._section("listings").get(pattern)
        return None if paths is None else tuple(paths)

    def sha256(self, file: str) -> str | None:
        """The checksum recorded for a file."""
        return self._section("files").get(file)

    def below(self, folder: str) -> list[str]:
        """The files recorded below a local folder."""
        return [name for name in self._section("files") if name.startswith(f"{folder}/")]

    def record(self, section: str, key: str, value: object) -> None:
        """Writes an entry if there is none. An entry is never changed."""
        with self._held():
            content = self._read()
            if key not in content.setdefault(section, {}):
                content[section][key] = value
                self._write(content)

    def _section(self, name: str) -> Mapping[str, Any]:
        return dict(self._read().get(name, {}))

    def _read(self) -> dict[str, Any]:
        if not self.path.exists():
            return {"version": VERSION}
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"), object_pairs_hook=once)
            version = content["version"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f"{self.path}: not a lock file ({error}); mend or delete it and fetch again") from error
        if version != VERSION:
            raise UsageError(f"{self.path}: written by another version ({version}); delete it and fetch again")
        for name, sound in SECTIONS.items():
            self._check(name, content.get(name, {}), sound)
        return dict(content)

    def _check(self, name: str, section: object, sound: Callable[[object], bool]) -> None:
        """Refuses a damaged section: what it records guards every later read."""
        if not isinstance(section, dict):
            raise UsageError(f"{self.path}: {name!r} must be an object; mend or delete the file and fetch again")
        for key, value in section.items():
            if not sound(value):
                raise UsageError(
                    f"{self.path}: {name!r} of {key!r} is damaged; mend or delete the file and fetch again"
                )

    def _write(self, content: Mapping[str, Any]) -> None:
        write_atomic(self.path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Several runs may fetch at once; one writes at a time."""
        begun = time.monotonic()

        def wait(_: bytes) -> None:
            if time.monotonic() - begun > PATIENCE:
                raise UsageError(f"{self.path}: another process has held it for a minute; wait for that one")

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with held(self.path.with_name(f"{FILE}.lock"), wait):
                yield
        except OSError as error:
            why = error.strerror or error
            raise UsageError(
                f"{self.path}: cannot be written ({why}); set EVALSUITE_CACHE to another folder"
            ) from error
