"""The journal line by line; whole runs that are killed are in test_killed.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.runs.journal import Journal, journal_line, read_journal
from evalsuite.types import Completion

FAILED, ANSWERED, BETTER = (Completion(key="k", **said) for said in ({"error": "lost"}, {"text": "a"}, {"text": "b"}))


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        ((FAILED, ANSWERED), ANSWERED),
        ((ANSWERED, FAILED), ANSWERED),
        ((ANSWERED, BETTER), BETTER),
        ((FAILED,), FAILED),
    ],
)
def test_an_answer_outweighs_a_failure_and_the_last_answer_counts(
    tmp_path: Path, written: tuple[Completion, ...], counts: Completion
) -> None:
    with Journal(tmp_path / "journal") as journal:
        for completion in written:
            journal.append(completion)
    assert read_journal(tmp_path / "journal").completions == {"k": counts}


@pytest.mark.parametrize("torn_at", [1, 10, 40, -2])
def test_a_torn_last_line_costs_itself_and_no_other(tmp_path: Path, torn_at: int) -> None:
    path = tmp_path / "journal"
    path.write_bytes(journal_line(ANSWERED) + journal_line(Completion(key="torn", text="t"))[:torn_at])
    with Journal(path) as journal:
        journal.append(Completion(key="next", text="n"))
    found = read_journal(path)
    assert set(found.completions) == {"k", "next"}
    assert found.damaged == (2,)


def test_a_last_line_that_lacks_only_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(journal_line(ANSWERED).rstrip())
    with Journal(path) as journal:
        journal.append(Completion(key="next", text="n"))
    found = read_journal(path)
    assert set(found.completions) == {"k", "next"}
    assert found.damaged == ()
