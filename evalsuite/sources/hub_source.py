"""The files of a dataset on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from evalsuite.errors import UsageError
from evalsuite.sources.cache import Cache, Fetched, name_of
from evalsuite.sources.file import DataFile
from evalsuite.sources.folder import Ledger
from evalsuite.sources.storage import Stored
from evalsuite.task import Dataset, HubFile


class HubSource(Ledger):
    """Files of one split of a dataset, fetched when asked for, at a pinned commit and a verified checksum."""

    def __init__(self, dataset: Dataset, split: str, cache: Cache, task: str) -> None:
        super().__init__(task)
        self._dataset, self._split, self._cache = dataset, split, cache

    def find(self, *patterns: str) -> tuple[DataFile, ...]:
        """Files declared for the split whose path matches any of the glob patterns, fetched, sorted by name."""
        declared = [file for file in self._dataset.hub if file.split == self._split and _matches(file, patterns)]
        found = {name_of(one): one for file in declared for one in self._cache.expand(file)}
        return tuple(self._open(one) for _, one in sorted(found.items()))

    def need(self, *patterns: str) -> tuple[DataFile, ...]:
        """As ``find``.

        Raises:
            UsageError: the hub has nothing of the kind for this split; says what to get instead.
        """
        found = self.find(*patterns)
        if not found:
            raise not_on_hub(self._dataset, f"{self._split} ({' or '.join(patterns)})")
        return found

    def _open(self, file: HubFile) -> DataFile:
        fetched = self._cache.fetch(file)
        member = file.path.partition("::")[2]
        return DataFile(file.path, Stored(fetched.path, member), self._recording(fetched, file), self.note)

    def _recording(self, fetched: Fetched, file: HubFile) -> Callable[[DataFile], None]:
        name = f"{file.repo}/{file.path}"
        return lambda _: self.record(name, fetched.path, sha=fetched.sha256, revision=fetched.commit)


def not_on_hub(dataset: Dataset, what: str) -> UsageError:
    """The error for data that only a folder can give."""
    return UsageError(
        f"no data for {dataset.folder!r}: {what} is not fetched from the Hugging Face hub. "
        f"{dataset.instructions} ({dataset.homepage}); put it below DIR/{dataset.folder} and give --data DIR "
        "or set EVALSUITE_DATA."
    )


def _matches(file: HubFile, patterns: tuple[str, ...]) -> bool:
    archive, _, member = file.path.partition("::")
    path = PurePosixPath(member or archive)
    return any(path.match(pattern) for pattern in patterns)
