"""Where hub files come from: the Hugging Face hub itself, or a folder that mirrors it. Files only, never a script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from evalsuite.errors import UsageError, check_installed, needs

HUB = ("data", "the Hugging Face hub")
"""The extra that brings its client, and what needs it."""


class Hub(Protocol):
    """A place that has dataset repositories."""

    def check(self) -> None:
        """Says what is missing for files to be had from here, before any is asked for."""

    def commit(self, repository: str, ref: str, path: str) -> str | None:
        """The commit a branch or tag stands for now; None where that is not known.

        Args:
            repository: ``owner/name``.
            ref: the branch or tag.
            path: the file wanted, for messages.
        """

    def listing(self, repository: str, revision: str, pattern: str) -> list[str]:
        """The repository's files that match a glob pattern, sorted."""

    def file(self, repository: str, revision: str, path: str) -> Path:
        """The file on this machine, fetched if need be."""


class HuggingFace:
    """The hub over the network, into the suite's own cache, with progress shown.

    A broken connection resumes where it broke; a fetch begun again skips the files it has.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def check(self) -> None:
        """Says so when its client is not installed."""
        check_installed(*HUB, "huggingface_hub")

    def commit(self, repository: str, ref: str, path: str) -> str | None:
        """The commit a branch or tag stands for now."""
        with needs(*HUB), _explained(repository, path, self._cache):
            from huggingface_hub import HfApi

            sha = HfApi().dataset_info(repository, revision=ref).sha
            return None if sha is None else str(sha)

    def listing(self, repository: str, revision: str, pattern: str) -> list[str]:
        """The repository's files that match a glob pattern, sorted."""
        from fnmatch import fnmatchcase

        with needs(*HUB), _explained(repository, pattern, self._cache):
            from huggingface_hub import HfApi

            siblings = HfApi().dataset_info(repository, revision=revision).siblings or []
            return sorted(file.rfilename for file in siblings if fnmatchcase(file.rfilename, pattern))

    def file(self, repository: str, revision: str, path: str) -> Path:
        """The file in the cache, downloaded if it is not there yet."""
        with needs(*HUB), _explained(repository, path, self._cache):
            from huggingface_hub import hf_hub_download

            return Path(
                hf_hub_download(repository, path, repo_type="dataset", revision=revision, cache_dir=self._cache / "hub")
            )


class Mirror:
    """A folder that holds ``owner/name/path`` for every file, for machines without a network."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"mirror folder {folder} does not exist; set EVALSUITE_MIRROR to one that does")
        self._folder = folder

    def check(self) -> None:
        """A folder needs nothing."""

    def commit(self, repository: str, ref: str, path: str) -> str | None:  # noqa: ARG002 - a folder knows no commits
        """A folder does not say of which commit its files are."""
        return None

    def listing(self, repository: str, revision: str, pattern: str) -> list[str]:  # noqa: ARG002 - same
        """The repository's files that match a glob pattern, sorted."""
        root = self._folder / repository
        return sorted(path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file())

    def file(self, repository: str, revision: str, path: str) -> Path:  # noqa: ARG002 - same
        """The file in the mirror."""
        place = self._folder / repository / path
        if not place.is_file():
            raise UsageError(f"mirror: {place} is missing; copy {path} of the hub's dataset {repository} there")
        return place


@contextmanager
def _explained(repository: str, what: str, cache: Path) -> Iterator[None]:
    """Turns the hub client's errors into one line each that says what to do."""
    with needs(*HUB):
        from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/datasets/{repository}"
    try:
        yield
    except errors.GatedRepoError as error:
        raise UsageError(f"{page} is gated: accept its terms there, then set HF_TOKEN to your token") from error
    except errors.RepositoryNotFoundError as error:
        raise UsageError(f"{page} does not exist, or is private and needs HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise UsageError(f"{page}: no such revision for {what}") from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        why = "offline (HF_HUB_OFFLINE is set)" if constants.HF_HUB_OFFLINE else "the hub cannot be reached"
        raise UsageError(_elsewhere(f"{page}: {why} and {what} is not in {cache}", f"{repository}/{what}")) from error
    except errors.EntryNotFoundError as error:
        raise UsageError(f"{page}: has no file {what}; the repository may have changed") from error
    except (_network_error(errors.HfHubHTTPError), OSError) as error:
        raise UsageError(_elsewhere(f"{page}: cannot fetch {what} ({error})", f"{repository}/{what}")) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(
            _elsewhere(f"{page}: answered what is no listing ({error})", f"{repository}/{what}")
        ) from error


def _elsewhere(trouble: str, wanted: str) -> str:
    return (
        f"{trouble}; run `evalsuite data fetch` with a network, or set EVALSUITE_MIRROR to a folder that holds {wanted}"
    )


def _network_error(http_error: type[Exception]) -> type[Exception]:
    """The base of every error of the HTTP library the hub client happens to use (it changed between versions)."""
    return next(base for base in http_error.__bases__ if issubclass(base, Exception) and base is not OSError)
