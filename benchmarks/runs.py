"""The whole way, start-up included: ``evalsuite run`` against ``lm_eval run`` on our own task, through its adapter."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Deadline, Row, from_pairs
from benchmarks.small import seconds, warm_environment
from benchmarks.wall import same_texts, take_pairs
from evalsuite.interop.yaml_files import PREFIX
from evalsuite.plugins import built_in_folder
from evalsuite.records import RequestRecord
from evalsuite.runs.directory.journal import read_journal
from evalsuite.runs.directory.store import COMPLETIONS, REQUESTS, read_lines

TASK = "leval_quality"
DOCUMENTS = 2
NEW_TOKENS = 16
SCRIPTS = Path(sys.executable).parent
CLOSE = 1e-6
IMPORTS = "from transformers import AutoTokenizer, LlamaForCausalLM"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command found: the score from 0 to 100, and the answer to every sample by id."""

    score: float
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sides:
    """Both commands on one model and data folder, each time into a new folder."""

    model: str
    data: Path
    scratch: Path

    def ours(self) -> Outcome:
        """``evalsuite run``."""
        out = self._folder()
        command = [str(SCRIPTS / "evalsuite"), "run", "--model", f"hf:{self.model},dtype=float32,device=cpu"]
        command += ["--tasks", TASK, "--limit-documents", str(DOCUMENTS), "--max-new-tokens", str(NEW_TOKENS)]
        _run([*command, "--data", str(self.data), "--out", str(out)])
        return our_outcome(out)

    def theirs(self, samples: int) -> Outcome:
        """``lm_eval run`` on as many samples: it counts those, not documents."""
        out = self._folder()
        said = json.dumps({"data": str(self.data)})
        command = [str(SCRIPTS / "lm_eval"), "run", "--model", "hf", "--device", "cpu", "--batch_size", "1"]
        command += ["--model_args", f"pretrained={self.model},dtype=float32", "--tasks", PREFIX + TASK]
        command += ["--include_path", str(built_in_folder()), "--limit", str(samples), "--metadata", said]
        command += ["--gen_kwargs", f"max_gen_toks={NEW_TOKENS}", "--log_samples", "--output_path", str(out)]
        _run(command)
        return their_outcome(out)

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.scratch))


def our_outcome(out: Path) -> Outcome:
    """The score and the answers of a run directory."""
    cells = json.loads((out / "cells.json").read_text(encoding="utf-8"))
    completions = read_journal(out / COMPLETIONS).completions
    answers = {r.sample_id: completions[r.key].text for r in read_lines(out / REQUESTS, RequestRecord) if r.key}
    return Outcome(next(cell["value"] for cell in cells if cell["primary"]), answers)


def their_outcome(out: Path) -> Outcome:
    """The score and the answers lm-eval wrote down."""
    values = json.loads(next(out.rglob("results*.json")).read_text(encoding="utf-8"))["results"][PREFIX + TASK]
    lines = next(out.rglob("samples*.jsonl")).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    score = next(value for name, value in values.items() if name.endswith(",none") and "stderr" not in name)
    return Outcome(score, {row["doc"]["id"]: row["resps"][0][0] for row in rows})


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=warm_environment())  # noqa: S603  # our own
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def run_row(model: str, data: Path, most: int, deadline: Deadline) -> Row:
    """Wall time of both commands, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        sides = Sides(model, data, Path(scratch))
        ours_found = sides.ours()
        asked = len(ours_found.answers)
        theirs_found: list[Outcome] = []
        imports = seconds([sys.executable, "-c", IMPORTS], 3)
        pairs = take_pairs(lambda: theirs_found.append(sides.theirs(asked)), sides.ours, most, deadline)
    peer, ours = from_pairs(pairs)
    return Row(
        name="run_wall",
        what=(
            f"`evalsuite run`, start-up and report included, {TASK}, {DOCUMENTS} whole documents, {asked} questions, "
            f"{NEW_TOKENS} greedy tokens"
        ),
        peer=peer,
        ours=ours,
        unit="s",
        goal="published (hope: 8)",
        equal=all(same_outcome(ours_found, theirs) for theirs in theirs_found),
        pairs=pairs,
        peer_config="`lm_eval run --model hf`, batch 1, our task through its adapter",
        note=(
            f"score of both commands: {ours_found.score:.2f} and {theirs_found[-1].score:.2f}; every answer compared. "
            f"Importing torch and transformers, which both sides must, takes {imports:.1f} s by itself: two documents "
            "are few enough for it to count, and the more there are, the nearer this comes to gen_wall"
        ),
    )


def same_outcome(ours: Outcome, theirs: Outcome) -> bool:
    """Whether every answer and the score are the same."""
    ids = list(ours.answers)
    return (
        set(ids) == set(theirs.answers)
        and same_texts([ours.answers[id_] for id_ in ids], [theirs.answers[id_] for id_ in ids])
        and abs(ours.score - theirs.score) < CLOSE
    )
