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


STEP = re.compile(r"^\| \d+ \| `([\w/]+\.py)` \| `(\w+)` \|", re.MULTILINE)
"""A step of the walk: its module and function."""


def _defined(module: str) -> set[str]:
    """The functions and classes of a module, those inside classes too."""
    import ast

    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_the_walk_of_one_sample_names_functions_that_are_there() -> None:
    steps = STEP.findall(PAGE)

    assert len(steps) == len(re.findall(r"^\| \d+ \|", PAGE, re.MULTILINE)) > 10
    assert [f"{module}: {name}" for module, name in steps if name not in _defined(module)] == []


def test_files_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`((?:evalsuite|tasks|engines)/[\w/]+\.py)`", PAGE))

    assert len(named) > 10
    assert [name for name in named if not any((ROOT / base / name).is_file() for base in (".", "evalsuite"))] == []
