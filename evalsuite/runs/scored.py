"""Scoring a run directory: reads samples, requests and the journal, writes ``scores.jsonl`` and ``cells.json``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from evalsuite.records import RequestRecord
from evalsuite.runs import store
from evalsuite.runs.journal import read_journal
from evalsuite.scoring.cells import Tell, ignore
from evalsuite.scoring.join import score_cells, table_cells
from evalsuite.task import Task
from evalsuite.types import Cell, Sample


def score_folder(
    folder: Path, tasks: Mapping[str, Task], *, allow_incomplete: bool = False, defect: Tell = ignore
) -> tuple[Cell, ...]:
    """Scores a run directory and writes the result beside it.

    Args:
        folder: the run directory.
        tasks: by name.
        allow_incomplete: give values of cells with failed or missing samples.
        defect: told every fault of a task's own code: it costs that task's table, the others go on.

    Raises:
        UsageError: the directory holds no run, or is damaged.
    """
    record = store.read_record(folder)
    samples: dict[tuple[str, str, int | None], dict[str, Sample]] = defaultdict(dict)
    for line, sample in store.read_samples(folder):
        samples[(line.task, line.split, line.length)][sample.id] = sample
    requests = store.read_lines(folder / store.REQUESTS, RequestRecord) if (folder / store.REQUESTS).exists() else ()
    completions = read_journal(folder / store.COMPLETIONS).completions
    scored = score_cells(record, samples, requests, completions, tasks)
    name = record.spec.model_name or record.engine.model.name
    found = table_cells(scored, name, allow_incomplete=allow_incomplete, defect=defect)
    store.write_lines(folder / store.SCORES, (score for one in scored for score in one.scores))
    store.write_atomic(folder / store.CELLS, store.dump_all(found))
    return found
