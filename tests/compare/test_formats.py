"""The table in every format: right places, right numbers, and no name can break out of its cell."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from table_cells import CELL, HOSTILE

from evalsuite.cells import Cell
from evalsuite.cli.main import main
from evalsuite.compare.formats import FORMATS, render
from evalsuite.compare.table import make_table, make_tables
from evalsuite.compare.words import percent, value_text
from evalsuite.demo.formats import write_world
from evalsuite.errors import UsageError

FIELDS = [
    *("suite", "task", "split", "protocol", "shots", "seed", "max_prompt_tokens", "length", "strategy", "model"),
    *("metric", "primary", "value", "stderr", "asked", "scored", "skipped", "unscorable", "failed", "documents"),
    *("cut", "evidence_lost", "complete", "demonstrations_lost", "kept", "output_capped", "value_completed"),
    *("repeats", "higher_is_better"),
]
"""The contract's, in its order."""


def test_the_fields_of_a_cell_are_the_contracts() -> None:
    assert list(Cell.__dataclass_fields__) == FIELDS
    assert list(json.loads(render([CELL], "json"))[0]) == FIELDS


def test_json_gives_every_metric_when_asked_and_validates_against_the_schema(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import jsonschema

    from evalsuite.cli.main import main

    assert main(["schema", "cell"]) == 0
    schema = json.loads(capsys.readouterr().out)
    empty = replace(CELL, metric="other", primary=False, value=None, stderr=None, evidence_lost=None)
    cells = [CELL, empty, replace(CELL, max_prompt_tokens=None, length=8000, shots=1)]
    assert len(json.loads(render(cells, "json"))) == 2
    given = json.loads(render(cells, "json", every_metric=True))
    assert len(given) == 3
    for cell in given:
        jsonschema.validate(cell, schema)
    for broken in ({**given[0], "extra": 1}, {**given[0], "asked": "10"}, {k: given[0][k] for k in FIELDS[1:]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_shows_value_error_and_model(form: str) -> None:
    shown = render([CELL], form)
    for part in ("model", "12.3", "1.26" if form in ("csv", "json") else "1.3"):
        assert part in shown


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_a_table_says_how_many_were_asked_scored_cut_and_lost_evidence(form: str) -> None:
    shown = render([CELL], form)
    for part in (
        "9/10 answers",
        "1 unparsed",
        "1 skipped",
        "56% cut, 26% kept",
        "3 lost evidence",
        "2 at output limit",
    ):
        assert part in shown
    assert "unparsed: the official scorer found no answer" in shown
    for part in ("failed", "demonstrations", "older"):
        assert part not in shown


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_a_row_whose_demonstrations_were_cut_away_says_so(form: str) -> None:
    lost = replace(CELL, shots=2, cut=9, demonstrations_lost=9, model="short")
    shown = render([lost, replace(lost, model="long", cut=0, kept=1.0, demonstrations_lost=0)], form)
    assert shown.count("9/9 lost demonstrations") == 1
    assert shown.count("lost demonstrations") == 1


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_cells_scored_before_something_was_counted_say_so(form: str) -> None:
    shown = render([replace(CELL, output_capped=None, kept=None)], form)
    assert "scored by an older evalsuite" in shown
    assert "56% cut" in shown
    assert "kept" not in shown


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0%"), (1, "100%"), (0.0004, "<0.1%"), (0.0034, "0.3%"), (0.034, "3%"), (0.555, "56%"), (0.9951, ">99%")],
)
def test_a_share_is_nothing_or_everything_only_where_it_is(share: float, said: str) -> None:
    assert percent(share) == said


def test_models_go_down_and_shots_and_caps_across() -> None:
    grid = [
        replace(CELL, model=model, shots=shots, max_prompt_tokens=cap, value=value)
        for value, (model, shots, cap) in enumerate((m, s, c) for m in "ab" for s in (0, 1) for c in (1024, None))
    ]
    table = make_table(grid)
    assert table.models == ("a", "b")
    assert [(column.shots, column.max_prompt_tokens) for column in table.columns] == [
        (0, 1024), (0, None), (1, 1024), (1, None)
    ]  # fmt: skip
    assert [[cell.value for cell in row if cell] for row in table.rows] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    shown = render(grid, "markdown")
    assert "cap 1,024" in shown
    assert "model's maximum" in shown


def test_a_cell_that_is_missing_incomplete_or_without_a_score_says_so() -> None:
    told = [
        CELL,
        replace(CELL, model="b", value=None, stderr=None, complete=False),
        replace(CELL, model="c", value=None, stderr=None),
        replace(CELL, model="d", complete=False),
        replace(CELL, model="e", shots=1),
    ]
    rows = [line.split("|") for line in render(told, "markdown").splitlines() if "|" in line]
    shown = {row[1].strip().split("<br>")[0]: "|".join(row) for row in rows}
    assert "incomplete" in shown["b"]
    assert "none scored" in shown["c"]
    assert "12.3 ± 1.3 (incomplete)" in shown["d"]
    assert shown["e"].split("|")[2].strip() == ""


@pytest.mark.parametrize("field", ["model", "task", "protocol", "split", "strategy", "metric"])
def test_two_values_for_one_place_are_refused(field: str) -> None:
    make_table([CELL, replace(CELL, **{field: "another"})])
    with pytest.raises(UsageError, match="two runs hold toy 0-shot of model 'model'"):
        make_table([CELL, CELL])


def test_only_primary_metrics_are_shown_unless_all_are_asked_for() -> None:
    other = replace(CELL, metric="secondary", primary=False)
    for form in FORMATS:
        assert "secondary" not in render([CELL, other], form)
        assert "secondary" in render([CELL, other], form, every_metric=True)


def _hostile(field: str, name: str) -> list[Cell]:
    return [replace(CELL, **{field: name}), replace(CELL, **{field: "kind"}, shots=1)]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("field", ["model", "task", "protocol"])
class TestHostileNames:
    def test_reach_a_terminal_as_plain_text(self, name: str, field: str) -> None:
        shown = render(_hostile(field, name), "terminal")
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]", shown)
        if name in ("[bold]x[/bold]", ":fire:"):
            assert name in shown

    def test_stay_in_their_markdown_cell(self, name: str, field: str) -> None:
        shown = render(_hostile(field, name), "markdown")
        rows = [line for line in shown.splitlines() if line.startswith("|")]
        bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(bars - {3, 4}) == 0
        assert len(rows) == {"model": 4, "task": 6, "protocol": 3}[field]
        assert "<script" not in shown
        assert not re.search(r"(?<!\\)\]\(http", shown)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]", shown)

    def test_are_no_formula_in_a_spreadsheet(self, name: str, field: str) -> None:
        rows = list(csv.DictReader(io.StringIO(render(_hostile(field, name), "csv"))))
        assert len(rows) == 2
        assert list(rows[0]) == FIELDS
        for row in rows:
            assert not row[field].startswith(("=", "+", "-", "@", "\t", "\r"))
            assert float(row["value"]) == 12.34

    def test_run_nothing_in_latex(self, name: str, field: str) -> None:
        shown = render(_hostile(field, name), "latex")
        assert r"\input" not in shown
        for line in shown.splitlines():
            assert len(re.findall(r"(?<!\\)&", line)) in (0, 1, 2)
            assert line.startswith("% ") or not re.search(r"(?<!\\)[%#]", line)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]", shown)

    def test_come_back_whole_from_json(self, name: str, field: str) -> None:
        assert json.loads(render(_hostile(field, name), "json"))[0][field] == name


def test_counts_that_a_whole_row_shares_are_said_once_beside_the_model() -> None:
    row = [CELL, replace(CELL, shots=1, cut=CELL.cut + 1)]
    text = render(row, "markdown")
    assert text.count(" answers") == 1
    assert text.count("% cut") == 2


def test_a_wide_table_has_its_shots_down_the_side() -> None:
    grid = [replace(CELL, shots=shots, length=length) for shots in (0, 1) for length in (1, 2, 3, 4)]
    (table,) = make_tables(grid)
    assert len(table.models) == 2
    assert len(table.columns) == 4
    assert "1-shot" in table.models[1]


@pytest.mark.parametrize("name", ["model", "Llama-2-7b-long-context-continued-pretraining-rope500k-step-12000" * 2])
def test_no_number_is_shortened_however_narrow_the_terminal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    caps = [replace(CELL, model=name, max_prompt_tokens=1000 * cap, value=10.0 + cap) for cap in range(1, 12)]
    text = render(caps, "terminal")
    for cell in caps:
        assert f"{cell.value} ± 1.3" in text
        assert f"{cell.max_prompt_tokens:,}" in text
    assert name in text
    assert "…" not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": 100.0, "stderr": 0.0, "documents": 3, "skipped": 0}, "100.0 [43, 100]"),
        ({"value": 0.0, "stderr": 0.0, "documents": 12, "skipped": 0}, "0.0 [0, 25]"),
        ({"value": 25.0, "stderr": 0.0, "documents": 3, "skipped": 0}, "25.0 [3, 75]"),
        ({"value": 100.0, "stderr": 0.0, "documents": 4, "skipped": 1}, "100.0 [43, 100]"),
        ({"value": 100.0, "stderr": 0.0, "documents": 1, "skipped": 1}, "100.0 [34, 100]"),
        ({"value": 99.9, "stderr": 0.04}, "99.9 ± <0.1"),
        ({"value": 99.0, "stderr": 1.0}, "99.0 ± 1.0"),
        ({"value": 99.0, "stderr": None}, "99.0"),
    ],
)
def test_equal_values_claim_no_certainty(change: dict[str, Any], said: str) -> None:
    cell = replace(CELL, **change)
    assert value_text(cell) == said
    shown = render([cell], "terminal")
    assert said in shown
    assert ("95% Wilson interval" in shown) == ("[" in said)
    assert json.loads(render([cell], "json"))[0]["stderr"] == change["stderr"]


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex"])
@pytest.mark.parametrize("layout", ["tables", "wide"])
def test_a_name_of_a_hundred_thousand_characters_does_not_fill_the_screen(form: str, layout: Any) -> None:
    from itertools import product

    names = ["x" * 100_000 + end for end in ("a", "b")]
    grid = [replace(CELL, model=model, task=task, suite=task) for model, task in product(names, names)]
    shown = render(grid, form, layout=layout)
    assert len(shown) < 20_000
    assert max(map(len, shown.splitlines())) < 3000
    labels = {re.sub(r"\W|allowbreak", "", found) for found in re.findall(r"#[\w\\{}]{8,30}", shown)}
    assert layout == "wide" or len(labels) >= 2


def test_two_runs_of_one_long_name_are_refused_in_a_short_line() -> None:
    cell = replace(CELL, model="x" * 100_000)
    with pytest.raises(UsageError) as refused:
        render([cell, cell], "terminal")
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", [" =1+1", "a;=1+1", "a\t=1+1", "a;  @SUM(A1)", "\uff1dSUM(A1)", "a|-2"])
def test_no_column_a_spreadsheet_may_see_is_a_formula(name: str) -> None:
    shown = render([replace(CELL, model=name)], "csv")
    for field in re.split(r"[,;|\t\n]", shown):
        assert not re.match(r"[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]", field)


def test_a_new_format_is_one_entry_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FORMATS, "names", lambda cells, _: "".join(f"{cell.task} {cell.metric}\n" for cell in cells))
    write_world(tmp_path, tasks=("qasper",), documents=1, questions=1)
    asked = ["--model", "scripted:echo", "--tasks", "qasper", "--data", str(tmp_path / "length-512")]
    assert main(["run", *asked, "--out", str(tmp_path / "out")]) == 0
    capsys.readouterr()

    assert main(["compare", str(tmp_path / "out"), "--format", "names"]) == 0
    assert capsys.readouterr().out == "qasper f1\n"

    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    assert "names" in capsys.readouterr().out


def test_the_table_is_read_without_what_writes() -> None:
    loaded = "import evalsuite.compare.formats, sys; print(*[n for n in sys.modules if n.startswith('evalsuite')])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"evalsuite", "evalsuite.compare", "evalsuite.compare.formats"}
