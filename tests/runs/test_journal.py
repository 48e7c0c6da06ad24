"""The journal line by line; whole runs that are killed are in test_killed.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evalsuite.runs.directory import journal as journal_module
from evalsuite.runs.directory.journal import Journal, journal_line, mend_journal, read_journal
from evalsuite.types import Completion, OptionScore

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


def test_an_answer_is_on_the_disk_before_the_next_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "journal", list[int]()
    monkeypatch.setattr(journal_module.os, "fsync", lambda number: synced.append(os.fstat(number).st_size))
    with Journal(path) as journal:
        for count in (1, 2):
            journal.append(ANSWERED)
            whole = count * len(journal_line(ANSWERED))
            assert path.stat().st_size == whole, "flushed"
            assert synced[-1] == whole, "synced with all of it"


@pytest.mark.parametrize(
    "answer",
    [
        Completion("k", options=(OptionScore(float("nan"), 1, greedy=False),)),
        Completion("k", options=(OptionScore(float("-inf"), 1, greedy=False),)),
        Completion("k", text="half \ud83d"),
        Completion("k", token_ids=(1.5,)),  # type: ignore[arg-type]
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning:pydantic")
def test_an_answer_that_could_not_be_read_again_is_written_as_a_failure(tmp_path: Path, answer: Completion) -> None:
    with Journal(tmp_path / "journal") as journal:
        kept = journal.append(answer)
    assert kept.error is not None
    assert "the engine's answer cannot be kept" in kept.error
    found = read_journal(tmp_path / "journal")
    assert (found.completions, found.damaged) == ({"k": kept}, ())


def test_damaged_lines_are_taken_out_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    other = journal_line(Completion(key="other", text="o"))
    path.write_bytes(journal_line(ANSWERED) + b"{}\n" + other + journal_line(BETTER)[:-30])
    mend_journal(path, read_journal(path))
    assert path.read_bytes() == journal_line(ANSWERED) + other
