"""One data file of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evalsuite.errors import UsageError
from evalsuite.sources.parse import json_object, records
from evalsuite.sources.row import Record
from evalsuite.sources.storage import Stored, read_whole

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a dataset. When it is read, its source records it."""

    name: str
    """Path inside the dataset's folder, without ``.gz``."""
    stored: Stored
    reading: Callable[[DataFile], None]
    """Called when the file is read."""
    note: Tell

    def read_text(self) -> str:
        """The whole file as text: UTF-8, or else Windows-1252 (said in a note), line ends as line feeds.

        Raises:
            UsageError: unreadable, too large to be one text, or holding a NUL character.
        """
        self.reading(self)
        with self.stored.open() as stream:
            data = read_whole(stream, self.stored.shown)
        text = self._decoded(data).replace("\r\n", "\n").replace("\r", "\n")
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise UsageError(f"{self.stored.shown}:{line}: the text holds a NUL character; remove it from the file")
        return text

    def records(self) -> Iterator[Record]:
        """Rows of JSON Lines, a JSON list, CSV or parquet."""
        self.reading(self)
        return records(self.stored, self.name)

    def json(self) -> Record:
        """A file that is one JSON object."""
        self.reading(self)
        return json_object(self.stored)

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.note(f"{self.name} is not UTF-8 and was read as Windows-1252")
            return data.decode("cp1252", "replace")
