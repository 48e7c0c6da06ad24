"""A run told to the person at the terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager

from evalsuite.api import Watcher
from evalsuite.cli.output import tell
from evalsuite.cli.progress import progress
from evalsuite.cli.startup import loading
from evalsuite.runs.execute import Report
from evalsuite.safe_text import plain


class OnTerminal(Watcher):
    """Notes as lines, progress as a bar; the garbage collector rests while packages load."""

    def __init__(self, *, named: bool = False) -> None:
        """Prepares.

        Args:
            named: say the model's name on its bar.
        """
        self._named = named

    def note(self, text: str) -> None:
        """One line."""
        tell(f"note: {plain(text)}")

    def loading(self) -> AbstractContextManager[None]:
        """Loads in less time."""
        return loading()

    def progress(self, asked: int, model: str) -> AbstractContextManager[Report]:
        """A bar, or lines where there is no terminal."""
        return progress(asked, model if self._named else "")
