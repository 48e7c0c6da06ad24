"""The summary of planted faults: what it counts, when it fails, what it says of survivors."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import mutants_summary
import pytest

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "mutants.toml"

MUTATED = """
def x_total__mutmut_orig(values, start=0.0):
    return sum(values, start) if values else start

def x_total__mutmut_1(values, start=1.0):
    return sum(values, start) if values else start

def x_total__mutmut_2(values, start=0.0):
    return sum(values, None) if values else start

def x_total__mutmut_3(values, start=0.0):
    return sum(values, ) if values else start

def x_total__mutmut_4(values, start=0.0):
    return sum(values, start) if values or True else start

class Box:
    def x\u01c1Box\u01c1least__mutmut_orig(self):
        return min(self.sizes) - 1

    def x\u01c1Box\u01c1least__mutmut_1(self):
        return min(self.sizes) + 1
"""
CHANGES = {
    "x_total__mutmut_1": ("total", "default: start=0.0 -> start=1.0"),
    "x_total__mutmut_2": ("total", "sum: start -> None"),
    "x_total__mutmut_3": ("total", "sum: start -> nothing"),
    "x_total__mutmut_4": (
        "total",
        "sum(values, start) if values else start -> sum(values, start) if values or True else start",
    ),
    "x\u01c1Box\u01c1least__mutmut_1": ("Box.least", "min(self.sizes) - 1 -> min(self.sizes) + 1"),
}


def plant(folder: Path, *codes: int | None) -> Path:
    """A folder as mutmut leaves it, with the exit code of the tests under each fault."""
    made = folder / "mutants" / "evalsuite" / "sums.py"
    made.parent.mkdir(parents=True)
    made.write_text(MUTATED, encoding="utf-8")
    verdicts = {f"evalsuite.sums.{name}": code for name, code in zip(CHANGES, codes, strict=True)}
    made.with_name("sums.py.meta").write_text(json.dumps({"exit_code_by_key": verdicts}), encoding="utf-8")
    return folder / "mutants"


def summary(folder: Path, accepted: Path, least: float = 85) -> int:
    return mutants_summary.main(["--folder", str(folder), "--accepted", str(accepted), "--least", str(least)])


def test_a_fault_is_named_by_its_function_and_what_it_changes(tmp_path: Path) -> None:
    found = list(mutants_summary.read(plant(tmp_path, 1, 0, 33, 36, None)))
    assert [(one.function, one.change) for one in found] == list(CHANGES.values())
    assert {one.module for one in found} == {"evalsuite.sums"}
    assert [one.status for one in found] == ["killed", "survived", "survived", "timeout", "not run"]


def test_the_share_is_of_all_faults_that_were_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = plant(tmp_path, 1, 3, 36, 0, None)
    assert summary(folder, tmp_path / "none.toml", least=75) == 0
    assert "75.0 % of 4 planted faults" in capsys.readouterr().out
    assert summary(folder, tmp_path / "none.toml", least=76) == 1


@pytest.mark.parametrize("code", [0, 5, 33, 2, 35, -6])
def test_a_fault_without_a_red_test_is_not_noticed(tmp_path: Path, code: int) -> None:
    assert summary(plant(tmp_path, 1, 1, 1, code, None), tmp_path / "none.toml", least=76) == 1


def test_nothing_tried_is_a_failure(tmp_path: Path) -> None:
    assert summary(plant(tmp_path, None, None, None, None, None), tmp_path / "none.toml", least=0) == 1


def test_survivors_are_compared_with_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = tmp_path / "mutants.toml"
    accepted.write_text(
        '[[accepted]]\nfunctions = ["evalsuite.sums.total"]\nreason = "r"\n'
        'changes = ["sum: start -> None", "sum: start -> nothing"]\n',
        encoding="utf-8",
    )
    assert summary(plant(tmp_path, 1, 0, 1, 1, 0), accepted, least=50) == 0
    said = capsys.readouterr().out
    assert "1 of 2 different survivors have a reason" in said
    assert "no test noticed in evalsuite.sums.Box.least: min(self.sizes) - 1 -> min(self.sizes) + 1" in said
    assert "take it off the list: evalsuite.sums.total: sum: start -> nothing" in said
    assert "sum: start -> None" not in said


def test_a_function_that_was_tried_in_part_takes_no_reason_off_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted = tmp_path / "mutants.toml"
    accepted.write_text(
        '[[accepted]]\nfunctions = ["evalsuite.sums.total"]\nreason = "r"\nchanges = ["sum: start -> None"]\n',
        encoding="utf-8",
    )
    assert summary(plant(tmp_path, 1, None, 1, 1, None), accepted) == 0
    assert "take it off" not in capsys.readouterr().out


def test_every_accepted_survivor_has_a_reason_and_a_function_that_is_there() -> None:
    there = functions()
    for (function, change), reason in mutants_summary.accepted(LIST).items():
        assert reason.strip(), f"{function}: {change} has no reason"
        assert function in there, f"tests/mutants.toml names {function}, which is not there"


def functions() -> set[str]:
    found = set()
    for path in (ROOT / "evalsuite").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found.add(f"{module}.{node.name}")
            elif isinstance(node, ast.ClassDef):
                found |= {
                    f"{module}.{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)
                }
    return found
