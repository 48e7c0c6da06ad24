"""What `evalsuite tasks NAME` says of a task."""

from __future__ import annotations

import json

import pytest

from evalsuite.cli.main import main


def test_a_metric_is_shown_with_the_official_function_it_follows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "quality"]) == 0
    assert (
        "metrics    accuracy (primary), exact_match (as scrolls.exact_match), accuracy_hard" in capsys.readouterr().out
    )
    assert main(["tasks", "narrativeqa", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["official"] == {"f1": "scrolls.f1"}
