"""One record of a data file. A wrong field is an error that names file, line and field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from evalsuite.errors import UsageError
from evalsuite.types import Json

Kind = TypeVar("Kind")

_WHOLE = re.compile(r"-?[0-9]{1,18}")
"""The text of a whole number, without thousands of digits."""
_LARGEST = 10**18


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object, a CSV row or a parquet row."""

    value: Mapping[str, Json]
    where: str
    """``file:line``, for messages."""
    path: str = ""
    """The fields that lead to it inside its row, with a dot behind; empty for the row itself."""

    def text(self, name: str) -> str:
        """A string field.

        Raises:
            UsageError: it is missing, no string, or cannot be text (a NUL character, half a surrogate pair).
        """
        return self.clean(name, self._need(name, str, "a string"))

    def identifier(self, name: str) -> str:
        """A string field that is not blank."""
        found = self.text(name)
        if not found.strip():
            raise self.error(name, "is blank; it must name something")
        return found

    def whole(self, name: str) -> int:
        """An integer field; a string of digits, as CSV and QMSum's turn numbers have it, counts as one."""
        value = self._present(name)
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(name, f"must be a whole number, not {_shown(value)}")
        return value

    def row(self, name: str) -> Record:
        """An object."""
        return Record(self._need(name, dict, "an object"), self.where, f"{self.path}{name}.")

    def rows(self, name: str) -> list[Record]:
        """A list of objects."""
        items = self._items(name, dict, "an object")
        return [Record(item, self.where, f"{self.path}{name}[{index}].") for index, item in enumerate(items)]

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        items = self._items(name, str, "a string")
        return [self.clean(f"{name}[{index}]", item) for index, item in enumerate(items)]

    def some_texts(self, name: str) -> list[str]:
        """A list of at least one string, such as references."""
        found = self.texts(name)
        if not found:
            raise self.error(name, "must hold at least one string")
        return found

    def optional_texts(self, name: str) -> list[str | None]:
        """A list of strings and nulls; empty if the field is absent."""
        items = [] if self.value.get(name) is None else self._items(name, (str, type(None)), "a string or null")
        return [None if item is None else self.clean(f"{name}[{at}]", str(item)) for at, item in enumerate(items)]

    def text_lists(self, name: str) -> list[list[str]]:
        """A list of lists of strings; empty if the field is absent."""
        items = [] if self.value.get(name) is None else self._items(name, list, "a list of strings")
        inner = Record({f"{name}[{at}]": item for at, item in enumerate(items)}, self.where, self.path)
        return [inner.texts(field) for field in inner.value]

    def optional_text(self, name: str) -> str | None:
        """A string field; None if it is absent or null."""
        return None if self.value.get(name) is None else self.text(name)

    def optional_truth(self, name: str) -> bool | None:
        """A field that is true or false; None if it is absent or null."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.error(name, f"must be true, false or null, not {_shown(value)}")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an optional field, not checked. null counts as absent."""
        value = self.value.get(name)
        return default if value is None else value

    def names(self) -> list[str]:
        """The names of its fields, for an object whose fields are ids."""
        return list(self.value)

    def error(self, name: str, expected: str) -> UsageError:
        """The error to raise for a field that is wrong; ``expected`` completes "field 'x' ..."."""
        return UsageError(f"{self.where}: field '{self.path}{name}' {expected}")

    def _present(self, name: str) -> Any:
        if self.value.get(name) is None:
            have = ", ".join(map(str, list(self.value)[:12])) or "none"
            raise self.error(name, f"is missing (the record has: {have})")
        return self.value[name]

    def _need(self, name: str, kind: type[Kind], what: str) -> Kind:
        value = self._present(name)
        if not isinstance(value, kind):
            raise self.error(name, f"must be {what}, not {_shown(value)}")
        return value

    def _items(self, name: str, kind: type | tuple[type, ...], what: str) -> list[Any]:
        items = self._need(name, list, "a list")
        for index, item in enumerate(items):
            if not isinstance(item, kind):
                raise self.error(f"{name}[{index}]", f"must be {what}, not {_shown(item)}")
        return items

    def clean(self, name: str, text: str) -> str:
        """Checks a text that comes from a field read with ``get``.

        Raises:
            UsageError: it holds a NUL character or half a surrogate pair.
        """
        if "\0" in text:
            raise self.error(name, "holds a NUL character; remove it from the file")
        if not _encodable(text):
            raise self.error(name, "holds half of a surrogate pair, which is no text; mend the file")
        return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "a number of many digits"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - the width of a readable message
