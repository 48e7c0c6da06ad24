"""Running and reading from Python: the same runs as the command line's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made import TOY, toy_data, toy_rows, toy_run

import evalsuite
from evalsuite import Block, RunSpec
from evalsuite.cli.main import main
from evalsuite.errors import UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toy_data(tmp_path / "data", toy_rows(3, 2))


def _spec(data: Path, *blocks: Block) -> RunSpec:
    return RunSpec("scripted:first-words", blocks, data=str(data), include_paths=(str(TOY),))


def test_a_run_from_python_is_the_one_of_the_command_line(data: Path, tmp_path: Path) -> None:
    evalsuite.run(_spec(data, Block(("toy",), max_prompt_tokens=(40, None))), tmp_path / "ours")
    assert main(toy_run(tmp_path / "theirs", data, "--max-prompt-tokens", "40,model")) == 0
    for name in ("samples.jsonl", "requests.jsonl", "scores.jsonl", "cells.json"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes(), name


def test_blocks_of_one_run_ask_their_own_cells_of_documents_read_once(data: Path, tmp_path: Path) -> None:
    blocks = Block(("toy",), shots=(0, 1)), Block(("toy",), max_prompt_tokens=(40,), strategy="document-right")
    run = evalsuite.run(_spec(data, *blocks), tmp_path / "run")
    asked = [(cell.shots, cell.max_prompt_tokens, cell.strategy) for cell in run.cell_values if cell.primary]
    assert asked == [(0, None, "left"), (1, None, "left"), (0, 40, "document-right")]
    assert len((tmp_path / "run" / "samples.jsonl").read_text().splitlines()) == 6


def test_blocks_that_ask_one_cell_twice_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is asked by 2 blocks"):
        evalsuite.run(_spec(data, Block(("toy",)), Block(("toy",))), tmp_path / "run")
    limited = Block(("toy",), shots=(1,), limit_documents={"*": 2})
    with pytest.raises(UsageError, match="two blocks limit its documents differently"):
        evalsuite.run(_spec(data, Block(("toy",)), limited), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_cells_and_scores_are_frames_of_what_was_written(data: Path, tmp_path: Path) -> None:
    run = evalsuite.run(_spec(data, Block(("toy",), max_prompt_tokens=(40, None))), tmp_path / "run")
    written = json.loads((tmp_path / "run" / "cells.json").read_text())
    frame = run.cells()
    assert list(frame["value"]) == [cell["value"] for cell in written]
    assert set(written[0]) == set(frame.columns)
    scores = evalsuite.load(tmp_path).scores()
    assert len(scores) == 12
    assert list(scores["model"].unique()) == ["first-words"]
    assert list(scores["f1"]) == [score.values["f1"] for score in run.score_values]


def test_a_unit_is_planned_and_prepared_alone_by_whoever_has_the_spec(data: Path) -> None:
    from evalsuite.engines.registry import open_prompt_side
    from evalsuite.plugins import find_tasks
    from evalsuite.runs.asking.requests import groups, prepare_unit
    from evalsuite.runs.planning.make_plan import make_plan

    spec = _spec(data, Block(("toy",), shots=(0, 1)))
    tasks = [[find_tasks(spec.include_paths)["toy"]]]
    whole = make_plan(spec, tasks, open_prompt_side(spec.model))
    prepared = dict(zip((unit.id for unit in whole.units()), groups(whole, open_prompt_side(spec.model)), strict=True))
    assert len(prepared) == 3
    for name in reversed(prepared):
        side = open_prompt_side(spec.model)
        again = make_plan(spec, tasks, side)
        assert prepare_unit(again.unit(name), side) == prepared[name]
    with pytest.raises(UsageError, match="unknown unit"):
        whole.unit("toy/validation/nowhere")


def test_a_public_name_that_is_none_is_refused_as_python_does() -> None:
    assert set(evalsuite.__all__) >= {"run", "load", "RunSpec", "Block"}
    assert all(hasattr(evalsuite, name) for name in evalsuite.__all__)
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        _ = evalsuite.rnu  # type: ignore[attr-defined]
