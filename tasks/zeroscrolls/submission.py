"""The CSV that the ZeroSCROLLS leaderboard takes: one file with every example of all ten sets.

Source: tau-nlp/zero_scrolls@c994676, README (columns Task, ID, Prediction).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from evalsuite.benchmark import Submission
from evalsuite.errors import UsageError

from .sets import SETS

COLUMNS = ("Task", "ID", "Prediction")
CONFIGS = tuple(one.config for one in SETS)
LISTED = 5
"""Ids named in an error."""

Predictions = Mapping[str, Mapping[str, str]]
"""Answers by set, then by id."""


def submission(predictions: Predictions, expected: Mapping[str, Iterable[str]]) -> str:
    """Return the CSV, sets in the paper's order and examples in that of the official files.

    Args:
        predictions: what was answered.
        expected: ids of the official files by set.

    Raises:
        UsageError: a set is absent, or an id is missing or extra; all of them are counted, the first ones named.
    """
    problems = [line for config in CONFIGS for line in _problems(config, predictions, expected)]
    problems += [f"{config}: no set of ZeroSCROLLS" for config in predictions if config not in CONFIGS]
    if problems:
        raise UsageError("a submission holds every example of all ten sets: " + "; ".join(problems))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for config in CONFIGS:
        writer.writerows((config, name, predictions[config][name]) for name in expected[config])
    return text.getvalue()


def _problems(config: str, predictions: Predictions, expected: Mapping[str, Iterable[str]]) -> Iterable[str]:
    if config not in predictions:
        yield f"{config} is not answered"
        return
    wanted, given = tuple(expected[config]), predictions[config]
    for word, names in (
        ("missing", [name for name in wanted if name not in given]),
        ("extra", sorted(set(given) - set(wanted))),
    ):
        if names:
            more = ", ..." if len(names) > LISTED else ""
            yield f"{config}: {len(names)} {word} ({', '.join(names[:LISTED])}{more})"


SUBMISSION = Submission(
    suite="zeroscrolls",
    split="test",
    tasks={f"zeroscrolls_{config}": config for config in CONFIGS},
    write=submission,
)
