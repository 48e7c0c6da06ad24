"""The demo: a short- and a long-context model on the miniature world, as two tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from evalsuite.compare.formats import render
from evalsuite.demo.checkpoints import checkpoint
from evalsuite.demo.formats import write_world
from evalsuite.engines.registry import open_engine
from evalsuite.plugins import find_tasks, select_tasks
from evalsuite.records import RunSpec
from evalsuite.runs.execute import Progress, execute
from evalsuite.runs.plan import make_plan
from evalsuite.runs.scored import score_folder
from evalsuite.types import Cell

MODELS = ("short", "long")
TASKS = ("narrativeqa", "qasper", "quality", "qmsum")
LENGTHS = (512, 1024, 2048, 4096)
CAPS = (512, 1024, 2048)
DOCUMENTS, QUESTIONS = 3, 4

UNCUT = """\
Table 1. Documents of 512 to 4,096 tokens, nothing cut.
Read the rows from left to right: both models answer at 512 tokens, where both were trained; `short` breaks beyond
its training length although its config claims 4,096 positions, and `long`, trained further, still finds the facts.
"""

CUT = """\
Table 2. The same 4,096-token documents, but prompts capped.
Read the cap beside what it took: the score falls with the evidence that the cut removed, whatever the model can do.
"""

Report = Callable[[int], AbstractContextManager[Callable[[Progress], None]]]


def run_demo(out: Path, report: Report) -> Iterator[str]:
    """Writes the world, runs both models twice, and tells what to see.

    Args:
        out: gets the data, ``short`` and ``long`` (runs), and ``capped/short`` and ``capped/long``.
        report: opens a progress display for a number of samples.

    Yields:
        Texts to print, the tables among them.
    """
    data = out / "data"
    write_world(data, tasks=TASKS, lengths=LENGTHS, documents=DOCUMENTS, questions=QUESTIONS, seed=0)
    yield f"Two checkpoints of a few megabytes, four tasks, generated documents; everything lands in {out}.\n"
    yield UNCUT + "\n" + _table(out, data, report, lengths=LENGTHS, shots=(0, 1, 2), caps=(None,))
    yield CUT + "\n" + _table(out / "capped", data, report, lengths=(max(LENGTHS),), shots=(0,), caps=(*CAPS, None))
    yield (
        f"Next: evalsuite compare {out} --every-metric; evalsuite prompts narrativeqa "
        f"--model hf:{checkpoint('long')} --data {data} --length 512"
    )


def _table(
    out: Path,
    data: Path,
    report: Report,
    *,
    lengths: Sequence[int],
    shots: Sequence[int],
    caps: Sequence[int | None],
) -> str:
    cells: list[Cell] = []
    for name in MODELS:
        spec = RunSpec(
            model=f"hf:{checkpoint(name)}",
            tasks=TASKS,
            shots=tuple(shots),
            max_prompt_tokens=tuple(caps),
            lengths=tuple(lengths),
            demo_documents="placeholder",
            max_new_tokens=32,
            data=str(data),
        )
        cells += run_spec(spec, out / name, report)
    return render(cells, "terminal")


def run_spec(spec: RunSpec, out: Path, report: Report) -> tuple[Cell, ...]:
    """Runs and scores one spec on built-in tasks."""
    tasks = find_tasks()
    plan = make_plan(spec, select_tasks(spec.tasks, tasks))
    engine = open_engine(spec.model)
    try:
        with report(plan.asked) as show:
            outcome = execute(plan, engine, out, show)
    finally:
        engine.close()
    if outcome.interrupted:
        raise KeyboardInterrupt
    return score_folder(out, tasks)
