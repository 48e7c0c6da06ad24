"""The lock file: which commit a hub repository was read at, and the SHA-256 of every file fetched, from then on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError

FILE = "evalsuite-data.lock.json"
VERSION = 1


class Lock:
    """What was fetched first and must not change silently afterwards; one JSON file, written whole and in one move."""

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
        """Writes an entry that is not there yet; one that is stays as it is."""
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
            content = json.loads(self.path.read_text(encoding="utf-8"))
            version = content["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self.path}: not a lock file ({error}); mend or delete it and fetch again") from error
        if version != VERSION:
            raise UsageError(f"{self.path}: written by another version ({version}); delete it and fetch again")
        return dict(content)

    def _write(self, content: Mapping[str, Any]) -> None:
        draft = self.path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        draft.replace(self.path)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Several runs may fetch at once; one writes at a time."""
        from filelock import FileLock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock", timeout=60):
            yield
