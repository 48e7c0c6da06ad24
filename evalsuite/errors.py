"""The errors a user can mend."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

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
