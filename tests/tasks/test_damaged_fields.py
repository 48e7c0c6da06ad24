"""Thousands of damaged fields over all readers: each file is read right or refused by file and field, never guessed at.

What counts as read right: a value of another kind changes nothing at all; an absent one changes nothing or is one of
the fields that may be absent; another text shows as that text.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from miniature import MINIATURES, Miniature

from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.sources import open_source
from evalsuite.task import Selection
from evalsuite.types import Sample

TASKS = find_tasks()
ROUNDS = 2_000 // len(MINIATURES) + 1
MARK = "zebra 17% A 3, 4"
"""Another text, which holds what every gold answer must hold."""
LONG = "\x00long"
"""Stands for a number of 5,000 digits, which Python cannot write as JSON."""
OTHERS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3.5, 10**30, LONG, "", " ", "--5", "5" * 5000, "a\0b", "\ud800", MARK),
    *([], {}, [None], [[]], [{}], ["x"], [1], {"x": 1}, [[["x"]]], ["a", 1], float("nan"), float("inf")),
)

Path_ = tuple[Any, ...]


def fields(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The way to every value inside a JSON value."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from fields(item, (*path, key))


def at(value: Any, path: Path_) -> Any:
    for key in path:
        value = value[key]
    return value


def read(one: Miniature, root: Path, content: str) -> list[Sample]:
    """The samples of a file, and what was noted, so that nothing can change unseen."""
    (root / one.path).write_text(content, encoding="utf-8", errors="surrogatepass")
    task = TASKS[one.task]
    return list(task.samples(Selection(open_source(task.dataset, root, split=one.split), one.split)))


def shown(samples: list[Sample]) -> str:
    return "\n".join(map(repr, samples))


def kind(value: Any) -> str:
    return "text" if isinstance(value, str) else type(value).__name__


def damaged(one: Miniature, draw: random.Random) -> tuple[Path_, Any, Any, str]:
    """A field, its value before and after, and the file with it."""
    records = copy.deepcopy(one.records)
    path = draw.choice(list(fields(records)))
    around, key = at(records, path[:-1]), path[-1]
    before, after = around[key], draw.choice((*OTHERS, KeyError))
    if after is KeyError:
        del around[key]
    else:
        around[key] = copy.deepcopy(after)
    text = one.text(records).replace(json.dumps(LONG), "7" * 5000)
    return path, before, after, text


def named(path: Path_, said: str) -> bool:
    """Whether a message names the field, or what it lies in; of a row, its line is enough."""
    names = [str(key) for key in path if isinstance(key, str)]
    return len(path) == 1 or any(name in said for name in (*names, "gold labels", "a number too long", "is missing"))


@pytest.mark.parametrize("one", MINIATURES, ids=lambda one: one.name)
def test_a_damaged_field_is_read_right_or_refused_by_file_and_field(one: Miniature, tmp_path: Path) -> None:
    draw = random.Random(one.name)  # noqa: S311 - reproducible damage
    whole = one.write(tmp_path) and shown(read(one, tmp_path, one.text(one.records)))
    refused = 0
    for _ in range(ROUNDS):
        path, before, after, text = damaged(one, draw)
        what = f"{path}: {before!r} became {str(after)[:40]!r}"
        try:
            samples = read(one, tmp_path, text)
        except UsageError as error:
            refused += 1
            said = str(error)
            assert Path(one.path).name in said, f"{what}: {said}"
            assert "\n" not in said, what
            assert named(path, said), f"{what}: {said}"
            continue
        if shown(samples) != whole:
            assert is_right(one, path, before, after, samples), f"{what} silently changed the samples"
    assert refused


def is_right(one: Miniature, path: Path_, before: Any, after: Any, samples: list[Sample]) -> bool:
    """Whether a file that differs in one field may give other samples."""
    if isinstance(path[-1], int) and after is KeyError:
        return True  # an item fewer in a list is another file, not a damaged one
    if path[-2:-1] == ("answer",) and kind(after) in ("text", "bool", "list"):
        return True  # Qasper's lists of questions: text, yes and no, or spans
    if after is KeyError or after is None:
        return bool(one.optional & set(map(str, path))) or (after is KeyError and len(path) == 1)
    if kind(after) == kind(before) == "text":
        return after in shown(samples) or repr(after)[1:-1] in shown(samples) or not after.strip() or is_choice(path)
    if "relevant_text_span" in path and kind(after) == "int":
        return True  # a turn's number, which the publisher writes as text
    same = kind(after) == kind(before) or {kind(after), kind(before)} <= {"bool", "int"}
    return same and (bool(one.optional & set(map(str, path))) or isinstance(after, (list, dict, int)))


def is_choice(path: Path_) -> bool:
    """Fields whose text decides and is not shown."""
    return any(
        name in path
        for name in ("evidence", "speaker", "document_id", "_id", "id", "passage_id", "input", "relevant_text_span")
    )
