"""CSV and JSON for programs: every field of every cell."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from io import StringIO
from typing import Any

from evalsuite.cells import Cell
from evalsuite.safe_text import csv_safe, plain


def to_csv(cells: Sequence[Cell]) -> str:
    """One row for each cell. None is empty, and no text can become a formula."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Cell.__dataclass_fields__)
    writer.writerows([_field(value) for value in asdict(cell).values()] for cell in cells)
    return text.getvalue()


def to_json(cells: Sequence[Cell]) -> str:
    """The cells as ``evalsuite schema cell`` describes them."""
    return json.dumps([asdict(cell) for cell in cells], indent=1) + "\n"


def _field(value: Any) -> Any:
    return csv_safe(plain(value)) if isinstance(value, str) else value
