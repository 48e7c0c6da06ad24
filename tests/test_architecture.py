"""docs/architecture.md and the code agree on which rooms there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def _rooms() -> set[str]:
    """Packages and modules directly in evalsuite/, without the dunder ones."""
    paths = (
        path for path in (ROOT / "evalsuite").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    )
    return {path.stem for path in paths if not path.stem.startswith("__")}


def _table() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))


def test_the_page_names_every_room_and_no_other() -> None:
    assert _table() == _rooms()


def test_the_flow_names_only_rooms_that_are_there() -> None:
    drawn = set(re.findall(r"\b(\w+)/ {2}", PAGE))

    assert drawn
    assert drawn <= _rooms() | {"tasks"}


def test_the_page_and_the_layers_give_the_same_order() -> None:
    import tomllib

    (layers,) = (
        contract["layers"]
        for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
            "contracts"
        ]
        if contract["type"] == "layers"
    )
    order = {room: depth for depth, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}
    rows = [order[room] for room in re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)]

    assert rows == sorted(rows)
