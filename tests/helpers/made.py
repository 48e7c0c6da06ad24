"""Samples, parts and runs made for tests, and the command line called as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.types import Document, Part, Role, Sample, Span

HELPERS = Path(__file__).parent
TOY = HELPERS / "toy_tasks"
"""A folder for ``--include-path`` that adds the task ``toy``; its data is written by ``toy_data``."""

QUESTION = " Q: Who asked the king?"
RESPONSE = ", A:"


def sample(text: str = "", *, name: str = "s", document: str = "d", evidence: Sequence[tuple[int, int]] = ()) -> Sample:
    spans = tuple(Span(*span) for span in evidence) or None
    return Sample(name, Document(document, text), QUESTION, ("nobody",), evidence=spans)


def parts(document: str, *, demonstration: str = "", instruction: str = "") -> tuple[Part, ...]:
    """Instruction, demonstration, document, question and response header."""
    whole = (
        Part(Role.INSTRUCTION, instruction),
        Part(Role.DEMONSTRATION, demonstration),
        Part(Role.DOCUMENT, document),
        Part(Role.QUESTION, QUESTION),
        Part(Role.RESPONSE, RESPONSE),
    )
    return tuple(part for part in whole if part.text or part.role is Role.DOCUMENT)


def row(number: int, document: int, text: str, **fields: Any) -> dict[str, Any]:
    """A row of the toy task's data."""
    filled = {"id": f"q{number}", "document": f"d{document}", "text": text, "question": f"What is {number}?"}
    return {**filled, "answers": [f"answer {number}"], **fields}


def toy_rows(documents: int = 4, questions: int = 3, words: int = 40) -> list[dict[str, Any]]:
    """Documents of different lengths with a few questions each."""
    return [
        row(d * questions + q, d, " ".join(f"word{d}-{i}" for i in range(words * (d + 1))))
        for d in range(documents)
        for q in range(questions)
    ]


def toy_data(root: Path, rows: Sequence[Mapping[str, Any]], train: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Writes the toy task's files below a data folder and gives that folder back."""
    for split, lines in (("validation", rows), ("train", train)):
        if lines:
            path = root / "toy" / f"{split}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return root


def environment(**more: str) -> dict[str, str]:
    """The environment for a subprocess: no data folder of the machine, no network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVALSUITE_")}
    here = str(HELPERS.parents[1])  # the tree these tests stand in, wherever another one is installed
    return {**kept, "PYTHONPATH": here, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_COLOR": "1", **more}


def command(*arguments: str | Path) -> list[str]:
    """``python -m evalsuite ...``."""
    return [sys.executable, "-m", "evalsuite", *map(str, arguments)]


def evalsuite(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    return subprocess.run(
        command(*arguments), env=environment(**more), capture_output=True, text=True, check=False, timeout=120
    )


def toy_run(out: Path, data: Path, *more: str | Path, model: str = "scripted:first-words") -> list[str]:
    """Arguments of a run of the toy task."""
    fixed = ["run", "--model", model, "--tasks", "toy", "--include-path", TOY, "--data", data, "--out", out]
    return [str(argument) for argument in (*fixed, *more)]


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def sealed_again(folder: Path) -> None:
    """Writes the seals and checks of a run's files as they are now, as nobody does by accident."""
    from evalsuite.runs.directory.seal import with_check, with_seals
    from evalsuite.runs.directory.store import read_record, write_record

    requests = folder / "requests.jsonl"
    requests.write_bytes(b"".join(with_check(line) + b"\n" for line in requests.read_text().splitlines()))
    record = read_record(folder)
    write_record(folder, with_seals(record, folder, record.sealed))


def without_seals(folder: Path) -> None:
    """Makes of a run what evalsuite 0.1 wrote: schema version 1, no checks, no seals."""
    record = json.loads((folder / "run.json").read_text())
    new = (
        "check",
        "sealed",
        "task_versions",
        "rescored_identity",
        "block_of",
        "metric_versions",
        "scoring",
        "template_dates",
        "begun",
        "ended",
    )
    old = {name: value for name, value in record.items() if name not in new} | {"schema_version": 1}
    ((block,), rest) = (
        old["spec"]["blocks"],
        {k: v for k, v in old["spec"].items() if k not in ("blocks", "skip_impossible")},
    )
    flat = {k: v for k, v in block.items() if k not in ("seeds", "template_date")} | {"seed": block["seeds"][0]}
    old["spec"] = {**rest, **flat, "split": block["split"].get("*"), "limit_documents": None}
    (folder / "run.json").write_text(json.dumps(old))
    requests = [json.dumps({k: v for k, v in one.items() if k != "check"}) for one in lines(folder / "requests.jsonl")]
    (folder / "requests.jsonl").write_text("".join(line + "\n" for line in requests))


def cells(folder: Path) -> list[dict[str, Any]]:
    """The cells a run wrote."""
    found: list[dict[str, Any]] = json.loads((folder / "cells.json").read_text())
    return found
