"""A cut strategy is one entry of one table: the command line, a run and its record follow from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evalsuite.cli.main import main
from evalsuite.demo.formats import write_world
from evalsuite.prompts.strategies import STRATEGIES, Strategy, the_document
from evalsuite.types import Parts, Span


def second_half(parts: Parts) -> Span:
    """The second half of the document."""
    whole = the_document(parts)
    return Span((whole.start + whole.end) // 2, whole.end)


def test_a_new_strategy_is_one_entry_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(STRATEGIES, "second-half", Strategy(second_half, "right"))
    write_world(tmp_path, tasks=("qasper",), documents=1, questions=1)
    asked = ["--model", "scripted:echo", "--tasks", "qasper", "--data", str(tmp_path / "length-512")]
    capped = ["--max-prompt-tokens", "1200", "--strategy", "second-half", "--out", str(tmp_path / "out")]

    assert main(["run", *asked, *capped]) == 0
    (line,) = (tmp_path / "out" / "requests.jsonl").read_text().splitlines()
    cut = json.loads(line)["cut"]
    assert (cut["strategy"], cut["side"], [one["role"] for one in cut["removed"]]) == (
        "second-half",
        "right",
        ["document"],
    )
    assert cut["tokens_kept"] <= 1200 < cut["tokens_before"]

    assert main(["run", *asked, "--max-prompt-tokens", "300", *capped[2:-1], str(tmp_path / "less")]) == 2
    assert "the parts that a 'second-half' cut must keep" in capsys.readouterr().err

    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "second-half" in " ".join(capsys.readouterr().out.split())


def test_the_table_is_read_without_the_code_that_cuts() -> None:
    loaded = "import evalsuite.prompts.strategies, sys; print(*[n for n in sys.modules if n.startswith('evalsuite')])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"evalsuite", "evalsuite.prompts", "evalsuite.prompts.strategies"}
