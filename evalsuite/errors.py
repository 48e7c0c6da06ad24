"""The errors that are shown as one line: those that a user can correct, and a defect of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec

LISTED = 60
"""Largest number of names in the list."""


class UsageError(Exception):
    """Bad input. The message is one line: what is wrong, where (file, line, sample), what to do. Exit code 2."""


class MissingDataError(UsageError):
    """Missing data. The message says what to get, where to find it, and where to put it."""


class TaskError(UsageError):
    """The code of a task failed or returned an impossible value. Only this task gets no table."""


class EngineError(Exception):
    """An engine broke the rules of ``Engine``. This is a defect of the engine, not of the command or the data."""


class ImpossibleError(UsageError):
    """Several things that cannot be asked, reported together."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keeps the problems apart, so that a command can show one on each line."""
        super().__init__("; ".join(problems))
        self.problems = problems


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for an unknown name: it suggests the nearest names, else lists all."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    advice = f"did you mean {' or '.join(near)}?" if near else f"known: {listed or 'none'}"
    return f"unknown {kind} {name!r}; {advice}"


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """If an import inside the block fails, says which extra to install.

    Args:
        extra: the extra of ``pyproject.toml`` that brings the package.
        what: what cannot be done without it, e.g. "reading parquet files".

    Raises:
        UsageError: a package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).partition(".")[0]
        if package == __name__.partition(".")[0]:
            raise
        raise UsageError(missing_package(extra, what, package)) from error


def check_installed(extra: str, what: str, *packages: str) -> None:
    """Checks that packages are installed, without importing them. Call it before long work.

    Args:
        extra: the extra that brings them.
        what: what cannot be done without them.
        packages: by the names they are imported under.

    Raises:
        UsageError: one is missing.
    """
    for package in packages:
        if find_spec(package) is None:
            raise UsageError(missing_package(extra, what, package))


def missing_package(extra: str, what: str, package: str) -> str:
    """The message for a package that is only in an extra."""
    return f"{what} needs the package {package}, which is not installed; pip install 'evalsuite[{extra}]'"
