"""The demo: a short- and a long-context model on the miniature world, as three tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evalsuite.api import Watcher, ask, score
from evalsuite.cells import Cell
from evalsuite.compare.formats import render
from evalsuite.demo.checkpoints import checkpoint
from evalsuite.demo.formats import write_world
from evalsuite.records import ALL, Block, RunSpec

MODELS = ("short", "long")
TASKS = ("narrativeqa", "qasper", "quality", "qmsum")
LENGTHS = (512, 1024, 2048, 4096)
SHOWN, SHOTS = 1024, (0, 1, 2)
"""Length of the documents that are asked with demonstrations, and how many of those."""
CAPS = (512, 1024, 2048)
DOCUMENTS, QUESTIONS = 6, 4
CAPPED = 3
"""Documents of the last table: under a cap each question pays for its whole prompt."""

UNCUT = """\
Table 1. Documents of 512 to 4,096 tokens, nothing cut.
Read the rows from left to right: both models answer at 512 tokens, where both were trained; `short` breaks beyond
its training length although its config claims 4,096 positions, and `long`, trained further, still finds the facts.
"""

WITH_SHOTS = """\
Table 2. The documents of 1,024 tokens again, with 0, 1 and 2 demonstrations, nothing cut.
A demonstration is another whole document with a question and its answer, so the prompt grows to twice and three times
its length. Both models know the form of an answer already, so here demonstrations cost more than they teach: `long`
loses a little, `short` fails on choices and summaries.
"""

CUT = """\
Table 3. Half of the 4,096-token documents, but prompts capped.
Read the cap beside what it took: the score falls with the evidence that the cut removed, whatever the model can do.
"""


@dataclass(frozen=True, slots=True)
class Asking:
    """What one table asks of both models."""

    lengths: tuple[int, ...]
    shots: tuple[int, ...] = (0,)
    caps: tuple[int | None, ...] = (None,)
    limit: int | None = None

    def spec(self, model: str, data: Path) -> RunSpec:
        """As a run's spec."""
        limit = {} if self.limit is None else {ALL: self.limit}
        block = Block(TASKS, self.shots, self.caps, self.lengths, limit_documents=limit, max_new_tokens=32)
        return RunSpec(f"hf:{checkpoint(model)}", (block,), data=str(data))


def run_demo(out: Path, watch: Watcher) -> Iterator[str]:
    """Writes the world, runs both models three times, and tells what to see.

    Args:
        out: gets the data, ``short`` and ``long`` (runs), and the same below ``shots`` and ``capped``.
        watch: is told how the runs go.

    Yields:
        Texts to print, the tables among them.
    """
    data = out / "data"
    write_world(data, tasks=TASKS, lengths=LENGTHS, documents=DOCUMENTS, questions=QUESTIONS, seed=0)
    yield UNCUT + "\n" + _table(out, data, watch, Asking(LENGTHS))
    yield WITH_SHOTS + "\n" + _table(out / "shots", data, watch, Asking((SHOWN,), shots=SHOTS))
    capped = Asking((max(LENGTHS),), caps=(*CAPS, None), limit=CAPPED)
    yield CUT + "\n" + _table(out / "capped", data, watch, capped)
    yield (
        f"Next: evalsuite compare {out} --every-metric; evalsuite prompts narrativeqa "
        f"--model hf:{checkpoint('long')} --data {data} --length 512"
    )


def _table(out: Path, data: Path, watch: Watcher, asking: Asking) -> str:
    cells = [cell for name in MODELS for cell in run_spec(asking.spec(name, data), out / name, watch)]
    return render(cells, "terminal")


def run_spec(spec: RunSpec, out: Path, watch: Watcher) -> tuple[Cell, ...]:
    """Runs and scores one spec on built-in tasks."""
    if ask(spec, out, watch).outcome.interrupted:
        raise KeyboardInterrupt
    return score(out).cells
