"""Many tasks are one wide table: sorted, averaged by suite, the best marked, in pieces as wide as the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from table_cells import CELL, HOSTILE, many

from evalsuite.compare.formats import render
from evalsuite.compare.sheets import MANY
from evalsuite.errors import UsageError


def rows(shown: str) -> dict[str, list[str]]:
    """The rows of a Markdown table by their label."""
    lines = [line[2:-2].split(" | ") for line in shown.splitlines() if line.startswith("| ")]
    return {line[0].replace("\\", ""): line[1:] for line in lines}


def test_few_tasks_have_a_table_each_and_many_have_one() -> None:
    few, more = many(MANY), many(MANY + 1)
    assert render(few, "markdown").count("|---") == 2 * MANY
    assert render(more, "markdown").count("\n|---") == 1
    assert render(few, "markdown", layout="wide").count("\n|---") == 1
    assert render(more, "markdown", layout="tables").count("\n|---") == MANY + 1


def test_four_models_and_thirty_tasks_fit_one_screen() -> None:
    assert len(render(many(30, ("a", "b", "c", "d")), "terminal").splitlines()) < 45


def test_models_are_sorted_by_their_mean_and_tasks_by_suite() -> None:
    shown = rows(render(many(), "markdown"))
    assert shown["task"] == ["high", "low"]
    tasks = [label for label in shown if "(f1)" in label]
    assert tasks == sorted(tasks)
    assert list(shown).index("average of s0") == 6


def test_the_best_of_a_task_is_marked_and_ties_are_shared() -> None:
    cells = [
        replace(cell, value=50.04 if cell.model == "low" else 50.0) if "t03" in cell.task else cell for cell in many()
    ]
    shown = rows(render(cells, "markdown"))
    assert shown["s0_t02 (f1)"] == ["**12.0 ± 1.3** ceou", "2.0 ± 1.3 ceou"]
    assert [text.startswith("**50.0") for text in shown["s1_t03 (f1)"]] == [True, True]


def test_the_lowest_is_best_where_lower_is_better_and_is_in_no_average() -> None:
    cells = [replace(cell, higher_is_better=False) if "t03" in cell.task else cell for cell in many()]
    shown = rows(render(cells, "markdown"))
    assert [text.startswith("**") for text in shown["s1_t03 (f1)"]] == [False, True]
    assert shown["average of s1"] == [f"{10 + (1 + 5 + 7 + 9) / 4:.1f}", f"{(1 + 5 + 7 + 9) / 4:.1f}"]


def test_one_model_alone_is_not_the_best_of_anything() -> None:
    assert "**1" not in render(many(models=("only",)), "markdown").replace("**10 tasks", "")
    assert "Marked" not in render(many(models=("only",)), "markdown")


def test_an_average_needs_every_task_of_its_suite() -> None:
    cells = [cell for cell in many() if (cell.task, cell.model) != ("s0_t02", "low")]
    shown = rows(render(cells, "markdown"))
    assert shown["average of s0"] == ["14.0", ""]
    incomplete = [replace(cell, complete=False) if cell.task == "s0_t02" else cell for cell in many()]
    assert rows(render(incomplete, "markdown"))["average of s0"] == ["", ""]
    assert "**" not in rows(render(incomplete, "markdown"))["s0_t02 (f1)"][0]


def test_averages_are_of_primary_metrics() -> None:
    other = [replace(cell, metric="words", primary=False, value=99.0) for cell in many()]
    shown = rows(render([*many(), *other], "markdown", every_metric=True))
    assert shown["s0_t02 (words)"][0].startswith("**99.0")
    assert shown["average of s0"] == ["14.0", "4.0"]


def test_settings_are_columns_and_each_has_its_best() -> None:
    cells = [replace(cell, shots=shots, value=(cell.value or 0) + shots) for cell in many() for shots in (0, 1)]
    shown = rows(render(cells, "markdown"))
    assert shown["task"] == ["high 0-shot", "high 1-shot", "low 0-shot", "low 1-shot"]
    assert [text.startswith("**") for text in shown["s0_t02 (f1)"]] == [True, True, False, False]


def test_the_longer_side_goes_down() -> None:
    shown = rows(render(many(8, [f"m{number:02d}" for number in range(20)]), "markdown"))
    assert (
        list(shown)[:3] == ["model", "---|---|---|---|---|---|---|---|---|---|---|", "m19"] or list(shown)[1] == "m19"
    )
    assert len(shown["m19"]) == 8 + 2


def test_two_values_for_one_place_are_refused() -> None:
    with pytest.raises(UsageError, match="two runs hold"):
        render([*many(), *many()], "terminal")


def test_letters_say_what_there_is_no_room_for() -> None:
    cells = [replace(cell, cut=9, demonstrations_lost=4, shots=1) for cell in many()]
    shown = render(cells, "terminal")
    assert re.search(r"10\.0 ± 1\.3 Cdeou", shown)
    assert "d: prompts lost demonstrations" in shown
    plain = [replace(c, cut=0, demonstrations_lost=0, evidence_lost=0, output_capped=0, unscorable=0) for c in cells]
    assert "Letters" not in render(plain, "terminal")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("layout", ["wide", "tables"])
def test_a_table_is_as_wide_as_the_terminal_in_pieces(monkeypatch: pytest.MonkeyPatch, width: int, layout: str) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    models = [f"model-{number}" for number in range(6)]
    cells = many(30, models) if layout == "wide" else [
        replace(CELL, model=model, max_prompt_tokens=1000 * cap) for model in models for cap in range(1, 7)
    ]  # fmt: skip
    shown = render(cells, "terminal", layout=layout)  # type: ignore[arg-type]
    assert max(map(len, shown.splitlines())) <= width
    for text in models:
        assert text in shown
    if layout == "wide":
        assert len(re.findall(r"\d± |\d ± 1\.3", shown)) == 180
    else:
        assert shown.count("12.3 ± 1.3") == 36


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_their_place(name: str) -> None:
    cells = [replace(cell, model=f"{name}{cell.model}", task=f"{name}{cell.task}", suite=name) for cell in many()]
    for form in ("terminal", "markdown"):
        shown = render(cells, form)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]", shown)
    lines = [line for line in shown.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert "<script" not in shown
