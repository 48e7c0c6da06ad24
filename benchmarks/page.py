"""The JSON of a benchmark as a Markdown page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

THOUSAND = 1000

INTRODUCTION = """\
# Speed and memory

`python -m nox -s bench{form}` writes this page; do not edit it. The peer is lm-eval's own Hugging Face class. It gets
the same requests, with its best batch size and with its caches on.

- *ratio*: the peer's figure divided by ours. Above 1, evalsuite is better.
- *limit*: our figure divided by the lowest figure that is possible. For example, every distinct token must be computed
  once, and a Python interpreter that does nothing also needs time to start.
- *equal*: both sides gave equal results.

Counts, bytes and equality do not depend on the machine. Tests check them. Wall time depends on the machine. The page
shows the time of every pair; no test checks it.

Measured {date} on {cpu}, {cores} cores, {threads} threads, load {load:.1f} at the start; Python {python}, {packages}.
"""


def page(content: dict[str, Any]) -> str:
    """The page of one benchmark's JSON."""
    about = content["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    form = " -- --quick" if content["quick"] else ""
    head = INTRODUCTION.format(**{**about, "packages": packages, "form": form})
    return "\n".join([head, *_table(content["rows"]), "", *_details(content["rows"]), *_notes(content)]) + "\n"


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| name | peer | ours | unit | ratio | limit | equal | goal |"
    yield "|---|---:|---:|---|---:|---:|---|---|"
    for row in rows:
        equal = _YES_NO[row["equal"]]
        yield (
            f"| {row['name']} | {number(row['peer'])} | {number(row['ours'])} | {row['unit']} "
            f"| {number(row['ratio'])} | {number(row['limit_ratio'])} | {equal} | {row['goal']}{_met(row)} |"
        )


_YES_NO = {True: "yes", False: "**no**", None: ""}


def _met(row: dict[str, Any]) -> str:
    judged = _YES_NO[row.get("met")]
    return f"; met: {judged}" if judged else ""


def _details(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## What each row measures"
    for row in rows:
        note = f" {row['note']}." if row["note"] else ""
        yield f"\n**{row['name']}**: {row['what']}. Peer: {row['peer_config']}.{note}"
        if row["pairs"]:
            yield "\n| pair | first | peer | ours | ratio | load |"
            yield "|---|---|---:|---:|---:|---:|"
            for place, pair in enumerate(row["pairs"]):
                counted = " (warm-up, not counted)" if place == 0 and len(row["pairs"]) > 1 else ""
                yield (
                    f"| {place + 1}{counted} | {pair['first']} | {number(pair['peer'])} | {number(pair['ours'])} "
                    f"| {number(pair['peer'] / pair['ours'])} | {pair['load']:.1f} |"
                )


def _notes(content: dict[str, Any]) -> Iterator[str]:
    if content["notes"]:
        yield "\n## Notes"
        yield from (f"\n{note}" for note in content["notes"])


def number(value: float | None) -> str:
    """A figure with the digits that say something."""
    if value is None:
        return ""
    if isinstance(value, int) or value >= THOUSAND:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(page(json.loads(source.read_text(encoding="utf-8"))), encoding="utf-8")
