"""Scoring a run directory: reads samples, requests and the journal, writes ``scores.jsonl`` and ``cells.json``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from evalsuite.records import RequestRecord
from evalsuite.runs import store
from evalsuite.runs.journal import read_journal
from evalsuite.scoring.join import score_cells, table_cells
from evalsuite.task import Task
from evalsuite.types import Cell, Role, Sample


def score_folder(folder: Path, tasks: Mapping[str, Task], *, allow_incomplete: bool = False) -> tuple[Cell, ...]:
    """Scores a run directory and writes the result beside it.

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
    found = table_cells(scored, name, allow_incomplete=allow_incomplete)
    store.write_lines(folder / store.SCORES, (score for one in scored for score in one.scores))
    store.write_atomic(folder / store.CELLS, store.dump_all(found))
    return found


def bare_cells(folder: Path) -> Iterator[str]:
    """Sentences on cells whose name says shots that their prompts do not hold: the cut took every demonstration."""
    asked: Counter[str] = Counter()
    bare: Counter[str] = Counter()
    if (folder / store.REQUESTS).exists():
        for request in store.read_lines(folder / store.REQUESTS, RequestRecord):
            asked[request.cell] += 1
            bare[request.cell] += _is_bare(request)
    for cell, count in bare.items():
        if count:
            yield f"{cell}: the cut took every demonstration of {count} of {asked[cell]} prompts; they ask zero-shot"


def _is_bare(request: RequestRecord) -> bool:
    """Whether a cut from the left went through all demonstrations into the document behind them."""
    cut = {removal.role for removal in request.cut.removed} if request.cut else set()
    return cut >= {Role.DEMONSTRATION, Role.DOCUMENT}
