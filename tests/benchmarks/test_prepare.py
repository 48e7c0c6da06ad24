"""The measures of preparing prompts: made-up data, counts that no machine changes, and judgements that can fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import prepare
from benchmarks.page import page
from benchmarks.prepare import Setting, cut_row, first_row, make_setting, memory_row
from benchmarks.rows import machine
from benchmarks.stand_ins import short_ones
from evalsuite.runs.asking.requests import groups


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("EVALSUITE_DATA", raising=False)
        return make_setting(tmp_path_factory.mktemp("prepare"))


def test_without_data_as_many_questions_are_made_up(setting: Setting) -> None:
    assert setting.plan.asked == 402
    assert "made-up" in setting.data
    lengths = [size.characters for task in setting.plan.tasks for size in task.sizes]
    assert len(lengths) == 16
    assert 500_000 < sum(lengths) < 600_000


def test_what_is_read_to_prepare_them_all_is_near_one_pass(setting: Setting) -> None:
    side = setting.side()
    made = [request for group in groups(setting.plan, side) for request in group]
    read, shown = side.tokenizer.joined.encoded_characters, sum(map(len, prepare._shown(setting, side)))
    assert len(made) == 402
    assert shown <= read < 2 * shown


def test_the_rows_say_whether_their_goals_were_met(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    monkeypatch.setattr(prepare, "DOCUMENTS", 1)
    monkeypatch.setattr(prepare, "CAPS", (4096,))
    setting = make_setting(tmp_path)
    row = cut_row(setting, 1)
    assert row.equal
    assert row.peer
    monkeypatch.setattr(prepare, "PASSES", 0)
    monkeypatch.setattr(prepare, "MILLISECONDS", 0)
    missed = cut_row(setting, 1)
    assert missed.met is False
    first = first_row(setting, 1)
    assert first.met == ((first.limit_ratio or 9) <= 1)
    content = {"machine": machine(), "quick": True, "notes": [], "rows": [missed.record(), first.record()]}
    assert "ids identical; met: **no** |" in page(content)
    assert missed.record()["met"] is False


def test_the_memory_of_a_plan_is_that_of_its_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = memory_row(short_ones(tmp_path / "small", 200), 200)
    large = memory_row(short_ones(tmp_path / "large", 10_000), 10_000)
    assert small.met
    assert 0.3 < (large.ours or 0) - (small.ours or 0) < 10, "ids are held, texts are not"
    monkeypatch.setattr(prepare, "MEBIBYTES", 0.2)
    assert memory_row(tmp_path / "large", 10_000).met is False
    assert memory_row(tmp_path / "large", 10_001).met is False


def test_an_unreadable_plan_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="failed"):
        memory_row(tmp_path, 20)


def test_the_command_knows_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.__main__ import main

    monkeypatch.setattr(sys, "argv", ["benchmarks", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "prepare" in capsys.readouterr().out
