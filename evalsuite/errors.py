"""The errors a user can mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec

LISTED = 60
"""Names listed at most when none is near."""


class UsageError(Exception):
    """Bad input: one clear line that names the file, line or sample and says what to do. Exit code 2."""


class MissingDataError(UsageError):
    """Data that is not there; the line says what to get, from where, and where to put it."""


class TaskError(UsageError):
    """A task's own code failed or gave a value that cannot be: it costs that task's table, the others go on."""


class ImpossibleError(UsageError):
    """Several things that cannot be asked, all told at once."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keeps each problem's line apart, for a command that can show them one below the other."""
        super().__init__("; ".join(problems))
        self.problems = problems


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for an unknown name: the nearest ones, or all there are."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    advice = f"did you mean {' or '.join(near)}?" if near else f"known: {listed or 'none'}"
    return f"unknown {kind} {name!r}; {advice}"


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Says which extra to install when a package that is imported inside the block is not there.

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
    """Looks for packages without importing them, so that nothing is begun that cannot be ended.

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
    """The message for a package that only an extra brings."""
    return f"{what} needs the package {package}, which is not installed; pip install 'evalsuite[{extra}]'"
