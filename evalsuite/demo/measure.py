"""What the two checkpoints reach on held-out documents: `python -m evalsuite.demo.measure DIR`.

DIR holds `short` and `long`. The world's test split, generated from seeds that training never saw, is asked with the
tool itself: greedy answers, no demonstrations, nothing cut. Writes each checkpoint's model card.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory

from evalsuite.demo.formats import write_world
from evalsuite.records import ALL, Block, RunSpec

MODELS = ("short", "long")
TASKS = ("narrativeqa", "qasper", "quality", "qmsum")
LENGTHS = (512, 1024, 2048, 4096)
SEEDS = (101, 102, 103)
DOCUMENTS, QUESTIONS = 3, 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A primary metric of one model on one task at one length."""

    model: str
    task: str
    length: int
    # one a data seed, 0 to 100
    values: tuple[float, ...]

    def __str__(self) -> str:
        return f"{mean(self.values):.1f} ± {stdev(self.values):.1f}"


def measure(
    folder: Path, *, tasks: Sequence[str] = TASKS, lengths: Sequence[int] = LENGTHS, models: Sequence[str] = MODELS
) -> tuple[Figure, ...]:
    """The primary metrics of the checkpoints below `folder`, for each of `SEEDS`."""
    values: dict[tuple[str, str, int], list[float]] = {}
    with TemporaryDirectory() as temporary:
        for seed in SEEDS:
            data = Path(temporary) / f"world-{seed}"
            write_world(data, tasks=tasks, lengths=lengths, documents=DOCUMENTS, questions=QUESTIONS, seed=seed)
            for model in models:
                found = _primary(folder / model, data, data / model, tasks, lengths)
                for (task, length), value in found.items():
                    values.setdefault((model, task, length), []).append(value)
    return tuple(Figure(*key, tuple(seen)) for key, seen in values.items())


def _primary(
    model: Path, data: Path, out: Path, tasks: Sequence[str], lengths: Sequence[int]
) -> Mapping[tuple[str, int], float]:
    from evalsuite.api import Watcher
    from evalsuite.demo.show import run_spec

    block = Block(tuple(tasks), lengths=tuple(lengths), split={ALL: "test"}, max_new_tokens=32)
    spec = RunSpec(f"hf:{model}", (block,), data=str(data))
    cells = run_spec(spec, out, Watcher())
    return {(c.task, c.length): c.value for c in cells if c.primary and c.value is not None and c.length is not None}


def table(figures: Sequence[Figure], model: str) -> str:
    """The figures of a model in Markdown, a row a task, a column a length: mean and deviation over the seeds."""
    own = {(figure.task, figure.length): str(figure) for figure in figures if figure.model == model}
    tasks, lengths = dict.fromkeys(task for task, _ in own), dict.fromkeys(length for _, length in own)
    rows = [["task", *map(str, lengths)], ["---", *("---:" for _ in lengths)]]
    rows += [[task, *(own[task, length] for length in lengths)] for task in tasks]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Parse the command line, measure, write the model cards."""
    from evalsuite.demo.card import write_card

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds short and long")
    folder = parser.parse_args().folder
    figures = measure(folder)
    for model in MODELS:
        shown = table(figures, model)
        write_card(folder / model, shown, seeds=len(SEEDS), documents=DOCUMENTS, questions=QUESTIONS)


if __name__ == "__main__":
    main()
