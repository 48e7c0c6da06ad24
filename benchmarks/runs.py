"""The whole way, start-up included: ``evalsuite run`` against ``lm_eval run`` on our own task, through its adapter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rows import Deadline, Row, from_pairs
from benchmarks.wall import take_pairs

TASK = "leval_quality"
DOCUMENTS = 1
NEW_TOKENS = 16
SCRIPTS = Path(sys.executable).parent
CLOSE = 1e-6


@dataclass(slots=True)
class Sides:
    """Both commands on one model and data folder, and what the last run of each found."""

    model: str
    data: Path
    scratch: Path
    asked: int = 0
    ours: float | None = None
    theirs: float | None = None
    runs: int = field(default=0)

    def run_ours(self) -> None:
        """``evalsuite run`` into a new folder."""
        self.runs += 1
        out = self.scratch / f"ours-{self.runs}"
        command = [str(SCRIPTS / "evalsuite"), "run", "--model", f"hf:{self.model},dtype=float32,device=cpu"]
        command += ["--tasks", TASK, "--limit-documents", str(DOCUMENTS), "--max-new-tokens", str(NEW_TOKENS)]
        _run([*command, "--data", str(self.data), "--out", str(out)])
        cells = json.loads((out / "cells.json").read_text(encoding="utf-8"))
        primary = next(cell for cell in cells if cell["primary"])
        self.asked, self.ours = primary["asked"], primary["value"]

    def run_theirs(self) -> None:
        """``lm_eval run`` on the same samples."""
        self.runs += 1
        out = self.scratch / f"theirs-{self.runs}"
        said = json.dumps({"data": str(self.data)})
        command = [str(SCRIPTS / "lm_eval"), "run", "--model", "hf", "--device", "cpu", "--batch_size", "1"]
        command += ["--model_args", f"pretrained={self.model},dtype=float32", "--tasks", f"evalsuite_{TASK}"]
        command += ["--include_path", str(_adapters()), "--limit", str(self.asked), "--metadata", said]
        command += ["--gen_kwargs", f"max_gen_toks={NEW_TOKENS}"]
        _run([*command, "--output_path", str(out)])
        found = next(iter(out.rglob("results*.json")))
        values = json.loads(found.read_text(encoding="utf-8"))["results"][f"evalsuite_{TASK}"]
        self.theirs = next(v for k, v in values.items() if k.endswith(",none") and "stderr" not in k)


def _adapters() -> Path:
    from evalsuite.plugins import built_in_folder

    return built_in_folder()


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603  # our own
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def run_row(model: str, data: Path, most: int, deadline: Deadline) -> Row:
    """Wall time of both commands, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        sides = Sides(model, data, Path(scratch))
        # lm-eval counts samples, not documents: ours says how many there are.
        sides.run_ours()
        pairs = take_pairs(sides.run_theirs, sides.run_ours, most, deadline)
    peer, ours = from_pairs(pairs)
    return Row(
        name="run_wall",
        what=f"`evalsuite run`, start-up included, {TASK}, {DOCUMENTS} document, {sides.asked} questions",
        peer=peer,
        ours=ours,
        unit="s",
        goal="published (hope: 8)",
        equal=_same(sides.ours, sides.theirs),
        pairs=pairs,
        peer_config="`lm_eval run --model hf`, batch 1, our task through its adapter",
        note=f"score: ours {sides.ours}, through lm-eval {sides.theirs}",
    )


def _same(ours: float | None, theirs: float | None) -> bool:
    """Whether the scores are equal, whichever of the two counts in percent."""
    if ours is None or theirs is None:
        return False
    return min(abs(ours - theirs), abs(ours - 100 * theirs)) < CLOSE
