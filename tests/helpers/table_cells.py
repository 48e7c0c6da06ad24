"""Cells made for tests of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evalsuite.cells import Cell

CELL = Cell(
    suite="toys",
    task="toy",
    split="validation",
    protocol="paper",
    shots=0,
    seed=0,
    max_prompt_tokens=4096,
    length=None,
    strategy="left",
    model="model",
    metric="f1",
    primary=True,
    value=12.34,
    stderr=1.26,
    asked=10,
    scored=8,
    skipped=1,
    unscorable=1,
    failed=0,
    documents=4,
    cut=5,
    evidence_lost=3,
    complete=True,
    demonstrations_lost=None,
    kept=0.257,
    output_capped=2,
    value_completed=13.0,
    repeats=1,
    higher_is_better=True,
)
HOSTILE = (
    "\x1b[2J\x1b[31mred",
    "=HYPERLINK(A1)",
    "+1+cmd|' /C calc'!A0",
    "-2",
    "@SUM(A1)",
    "a|b",
    "</td><script>alert(1)</script>",
    "[bold]x[/bold]",
    ":fire:",
    r"\input{/etc/passwd} $x^2$ a_b 50% #1 & {y} ~",
    "two\nlines\r\n",
    "tab\there",
    "right\u202eleft",
    "`code` *star* [link](http://x)",
    '"quoted", comma',
    "\ud800",
)

MODELS = ("low", "high")


def many(tasks: int = 10, models: Sequence[str] = MODELS) -> list[Cell]:
    """Two suites; the later a model, the better it is."""
    return [
        replace(CELL, suite=f"s{at % 2}", task=f"s{at % 2}_t{at:02d}", model=model, value=10.0 * rank + at)
        for rank, model in enumerate(models)
        for at in range(tasks)
    ]
