"""What a task declares is checked when it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from faulty import faulty

from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks

DATASET = 'dataset=Dataset("toy", "https://example.org", "CC0", "none", "Write toy/validation.jsonl")'
METRICS = 'metrics=(Metric("f1", primary=True), Metric("words")),'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", primary=True", "", "exactly one metric must be primary, none is"),
        ('Metric("words")', 'Metric("words", primary=True)', "must be primary, f1, words are"),
        ('Metric("words")', 'Metric("f1")', "metrics: two are called 'f1'"),
        (METRICS, "metrics=(),", "metrics must be a tuple of one or more Metric"),
        (METRICS, 'metrics=[Metric("f1", primary=True)],', "metrics must be a tuple"),
        ('Metric("words")', 'Metric("all", combine=max)', "combine and of"),
        ('Metric("words")', 'Metric("all", of=("f1",))', "combine and of"),
        ('Metric("words")', 'Metric("words", clusters="document")', "combine, subset and clusters must be functions"),
        ('Metric("words")', 'Metric("words", official=None)', "official must be the name of an official function"),
        ('Metric("words")', 'Metric("words", scale=0)', "scale is 0; it must be a number above 0"),
        ('Metric("words")', 'Metric("words", scale=float("nan"))', "scale is nan; it must be a number above 0"),
        ('Metric("words")', 'Metric("words", version="2")', "version must be a whole number"),
        ("max_new_tokens=32", "max_new_tokens=-32", "max_new_tokens is -32; it must be at least 1"),
        ("max_new_tokens=32", "max_new_tokens=0", "max_new_tokens is 0"),
        ("max_new_tokens=32", 'max_new_tokens="32"', "max_new_tokens is '32'"),
        ("max_new_tokens=32", "max_new_tokens=True", "max_new_tokens is True"),
        ('name="options"', 'name="paper"', "protocols: two are called 'paper'"),
        ("samples=samples", "samples=None", "samples must be a function"),
        ("score=score,", "score=None,", "score must be a function"),
        ("version=1", 'version="1"', "version must be a whole number"),
        ('split="validation"', 'split="dev"', "its default split 'dev' is none of its splits"),
        ('splits=("train", "validation")', 'splits="validation"', "splits must be a tuple"),
        ('name="faulty"', 'name="a,b"', "name must hold no comma"),
        ('name="faulty"', 'name=""', "name must be a text"),
        ('name="faulty"', "name=5", "name must be a text"),
        (DATASET, "dataset=None", "dataset must be"),
    ],
)
def test_a_task_that_can_give_no_table_is_refused_when_it_is_loaded(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        find_tasks([str(faulty(tmp_path, (old, new)))])
    assert said in str(refused.value)
    assert str(tmp_path / "plug-ins" / "faulty" / "task.py") in str(refused.value)


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "raise GeneratorExit", "raise BaseException('lamp out')"])
def test_a_file_that_ends_the_program_is_refused_like_any_broken_one(tmp_path: Path, code: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "task.py").write_text(code)
    with pytest.raises(UsageError, match="cannot be loaded"):
        find_tasks([str(tmp_path)])


def test_every_task_of_ours_is_sound_and_loads_equal_each_time() -> None:
    assert find_tasks() == find_tasks()
