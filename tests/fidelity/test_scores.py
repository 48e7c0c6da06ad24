import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.fidelity import check, compute

CASES: list[dict[str, Any]] = [
    {"id": "a", "metric": "leval.f1", "prediction": "fox", "references": ["dog"], "expected": 0},
    {
        "id": "b",
        "metric": "scrolls.exact_match",
        "group": "g",
        "index": 1,
        "prediction": "The end",
        "references": ["begin", "end"],
        "expected": 100.0,
    },
    {
        "id": "c",
        "metric": "scrolls.exact_match",
        "group": "g",
        "index": 0,
        "prediction": "x",
        "references": ["end"],
        "expected": 0.0,
    },
    {
        "id": "d",
        "metric": "leval.rouge",
        "prediction": "a b",
        "references": ["a b"],
        "expected": {"rouge1": 100.0, "rouge2": 100.0, "rougeL": 100.0, "rougeLsum": 100.0},
    },
    {
        "id": "e",
        "metric": "zero_scrolls.accuracy",
        "prediction": "B",
        "references": ["foo"],
        "expected": {"error": "AssertionError"},
    },
]
AGGREGATE: dict[str, Any] = {
    "id": "f",
    "metric": "scrolls.compute",
    "group": "g",
    "config": "quality",
    "expected": {
        "exact_match": 50.0,
        "num_predicted": 2,
        "mean_prediction_length_characters": 4.0,
        "scrolls_score": 50.0,
    },
}


def write(path: Path, *cases: dict[str, Any]) -> Path:
    text = "".join(json.dumps(case) + "\n" for case in cases)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / "aggregates.jsonl", AGGREGATE), write(tmp_path / "cases.jsonl.gz", *CASES)]


def test_every_golden_score_agrees(golden: Path) -> None:
    report = check([path for path in sorted(golden.glob("*.jsonl*")) if not path.name.startswith("prompts")])
    assert not report.disagreements
    assert report.agreed == report.total >= 9850
    assert report.documented == 12


def test_groups_join_across_files_whatever_their_order(files: list[Path]) -> None:
    report = check(files)
    assert list(report.lines())[-1] == (
        "6 of 6 cases agree (1 where the official code raises, by our documented choice)"
    )
    assert report.by_metric["scrolls.compute"].agreed == 1


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, 1e-6),
        (1, 0.0),
        (3, {"rouge1": 100.0, "rouge2": 100.0, "rougeL": 99.9}),
        (3, {"rouge1": 100.0, "missing": 1}),
        (4, {"error": "KeyError"}),
        (4, 0.0),
    ],
)
def test_a_changed_expectation_is_a_disagreement(tmp_path: Path, index: int, expected: Any) -> None:
    report = check([write(tmp_path / "cases.jsonl", {**CASES[index], "expected": expected})])
    assert (report.agreed, report.total) == (0, 1)
    assert report.disagreements[0].id == CASES[index]["id"]
    assert any("computed" in line for line in report.lines())


def test_differences_within_the_tolerance_agree(tmp_path: Path) -> None:
    near = {**CASES[1], "expected": 100.0 - 9e-8}
    far = {**CASES[2], "expected": 2e-7}
    report = check([write(tmp_path / "cases.jsonl", near, far)])
    assert [case.id for case in report.disagreements] == ["c"]


def test_an_unknown_metric_disagrees(tmp_path: Path) -> None:
    report = check([write(tmp_path / "cases.jsonl", {**CASES[0], "metric": "leval.bleu"})])
    assert report.disagreements[0].reason == "unknown metric `leval.bleu`"


def test_an_aggregate_without_its_cases_says_so(files: list[Path]) -> None:
    (disagreement,) = check(files[:1]).disagreements
    assert disagreement.reason == "the cases of group `g` are not among the given files"


def test_only_keeps_the_metrics_with_a_prefix_and_still_joins_their_groups(files: list[Path]) -> None:
    report = check(files, only=["scrolls.c", "leval.f"])
    assert {metric: tally.agreed for metric, tally in report.by_metric.items()} == {"scrolls.compute": 1, "leval.f1": 1}
    with pytest.raises(UsageError, match=r"no case to check.*nothing"):
        check(files, only=["nothing"])


def test_values_are_computed_without_the_expected_ones(files: list[Path], tmp_path: Path) -> None:
    cases = [{name: value for name, value in case.items() if name != "expected"} for case in [*CASES, AGGREGATE]]
    bare = write(tmp_path / "bare.jsonl", *cases)
    assert compute(files, tmp_path / "one.jsonl", None) == compute([bare], tmp_path / "two.jsonl", None) == 6
    assert (tmp_path / "one.jsonl").read_text() == (tmp_path / "two.jsonl").read_text()
    values = dict(json.loads(line).values() for line in (tmp_path / "one.jsonl").read_text().splitlines())
    assert (values["a"], values["b"], values["e"]) == (0.0, 100.0, None)
    assert values["d"] == {"rouge1": 100.0, "rouge2": 100.0, "rougeL": 100.0}


def test_what_cannot_be_computed_is_null_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [write(tmp_path / "aggregates.jsonl", AGGREGATE)]
    with caplog.at_level(logging.WARNING):
        compute(files, tmp_path / "out.jsonl", None)
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"id": "f", "value": None}
    assert "group `g`" in caplog.text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"cases\.jsonl:2: not a JSON line"),
        ("[]", r"cases\.jsonl:2: a case is a JSON object"),
        ('{"metric": "leval.f1"}', r"cases\.jsonl:2: a golden case needs a text `id`"),
        ('{"id": "x"}', r"cases\.jsonl:2: case x has no `metric`"),
        ('{"id": "a", "metric": "leval.f1"}', r"cases\.jsonl:2: case a was read at .*cases\.jsonl:1"),
        ('{"id": "x", "metric": "leval.f1", "prediction": "p"}', r"cases\.jsonl:2: case x lacks .*'references'"),
        (
            '{"id": "x", "metric": "leval.f1", "prediction": "p", "references": []}',
            r"cases\.jsonl:2: case x is not a valid leval\.f1 case: no reference",
        ),
        (
            '{"id": "x", "metric": "leval.f1", "prediction": 3, "references": ["p"]}',
            r"cases\.jsonl:2: case x is not a valid leval\.f1 case",
        ),
        (
            '{"id": "x", "metric": "leval.f1", "prediction": "p", "references": ["p"]}',
            r"cases\.jsonl:2: case x has no `expected`",
        ),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "cases.jsonl", CASES[0])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(UsageError, match=message):
        check([path])


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    whole = write(tmp_path / "cases.jsonl.gz", *CASES).read_bytes()
    for name, content in {"cut.jsonl.gz": whole[:-20], "plain.jsonl.gz": b"{}", "latin.jsonl": b'"\xe9"'}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=name):
            compute([tmp_path / name], tmp_path / "out.jsonl", None)
    with pytest.raises(UsageError, match="absent"):
        compute([tmp_path / "absent.jsonl"], tmp_path / "out.jsonl", None)
    assert not list(tmp_path.glob("out*"))


def test_an_output_that_cannot_be_written_is_a_usage_error(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        compute(files, tmp_path / "no folder" / "out.jsonl", None)
