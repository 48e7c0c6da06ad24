"""Evaluation from Python: ``run`` asks a model, ``load`` reads results. The commands call the same code."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from evalsuite.cells import Cell
from evalsuite.engines.registry import open_engine, open_prompt_side
from evalsuite.interfaces import Engine
from evalsuite.interop.selection import choose_tasks, known_tasks
from evalsuite.plugins import find_tasks
from evalsuite.records import RunSpec
from evalsuite.runs.directory.resume import check_early
from evalsuite.runs.execute import Outcome, Report, execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.planning.plan import Plan
from evalsuite.runs.run import Run, Runs, open_runs
from evalsuite.runs.scored import score_folder


class Watcher:
    """Gets messages about a run. This one ignores them."""

    def note(self, text: str) -> None:
        """Gets a note for the reader of the results."""

    def loading(self) -> AbstractContextManager[object]:
        """A context for the time while packages and weights are loaded."""
        return nullcontext()

    def progress(self, asked: int, model: str) -> AbstractContextManager[Report]:
        """A context for the time while questions are asked.

        Args:
            asked: samples, summed over cells.
            model: name of the model.
        """
        del asked, model
        return nullcontext(_unheard)


def _unheard(_: object) -> None:
    return


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of asking, before scoring."""

    outcome: Outcome
    defects: tuple[str, ...]
    """Errors in the code of tasks. These tasks have no table."""
    seconds: float
    cost: float | None
    """Cost of a server; None without prices."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The result of scoring."""

    run: Run
    cells: tuple[Cell, ...]
    defects: tuple[str, ...]
    """Errors in the code of tasks. The answers of these tasks have no scores."""


def run(spec: RunSpec, out: str | Path | None = None) -> Run:
    """Asks a model what a spec says, and scores the answers. A run that was stopped is continued.

    Args:
        spec: the model and what it is asked.
        out: the run directory; by default ``results/`` and the model's name.

    Raises:
        UsageError: something cannot be asked, loaded or read; the line says what to do.
        EngineError: the engine has a defect.
        KeyboardInterrupt: it was interrupted; the same call continues the run.
    """
    folder = Path("results") / _name(spec) if out is None else Path(out)
    if ask(spec, folder).outcome.interrupted:
        raise KeyboardInterrupt
    return score(folder, include_paths=spec.include_paths, named=spec.tasks).run


def load(*paths: str | Path) -> Runs:
    """The runs of directories: each path is a run, or a folder of runs.

    Raises:
        UsageError: a path holds no run.
    """
    return open_runs(paths)


def ask(
    spec: RunSpec,
    out: Path,
    watch: Watcher | None = None,
    *,
    allow_engine_change: bool = False,
    max_cost: float | None = None,
) -> Asked:
    """Asks a model everything of a spec that has no answer in the run directory.

    Args:
        spec: the model and what it is asked.
        out: the run directory.
        watch: gets messages about the run.
        allow_engine_change: continue a run that began with another engine of the same model.
        max_cost: for a server with prices: end before the run costs more.

    Raises:
        UsageError: something cannot be asked, loaded or read; nothing in the directory was changed.
    """
    watch = watch or Watcher()
    priced = spec.model + ("" if max_cost is None else f",max_cost={max_cost}")
    tasks = find_tasks(spec.include_paths)
    chosen = [choose_tasks(block.tasks, tasks) for block in spec.blocks]
    with watch.loading():
        side = open_prompt_side(priced, max_model_len=spec.max_model_len)
        plan = make_plan(spec, chosen, side)
    for notice in plan.notices:
        watch.note(notice)
    check_early([cell.setting for cell in plan.cells], plan.identities, out)
    with watch.loading():
        engine = open_engine(priced, max_model_len=spec.max_model_len, side=side)
    try:
        return _ask(plan, engine, out, watch, allow_engine_change=allow_engine_change)
    finally:
        engine.close()


def score(
    out: Path, *, include_paths: tuple[str, ...] = (), named: tuple[str, ...] = (), allow_incomplete: bool = False
) -> Scored:
    """Scores the answers of a run directory, also if they were scored before.

    Args:
        out: the run directory.
        include_paths: folders of tasks of your own.
        named: names of tasks, which may be YAML files of lm-eval. A file that only the directory names is not loaded.
        allow_incomplete: give values of cells with failed or missing samples.

    Raises:
        UsageError: the directory holds no run, is damaged, or asks a task that is not known.
    """
    record = Run.open(out).record
    needed = {setting.task for setting in record.settings}
    tasks = known_tasks(find_tasks(include_paths), record.spec.tasks, needed, named=named)
    defects: list[str] = []
    cells = score_folder(out, tasks, allow_incomplete=allow_incomplete, defect=defects.append)
    return Scored(Run.open(out), cells, tuple(defects))


def _ask(plan: Plan, engine: Engine, out: Path, watch: Watcher, *, allow_engine_change: bool) -> Asked:
    told = engine.info.notes
    for note in told:
        watch.note(note)
    with watch.progress(plan.asked, _name(plan.spec)) as report:
        begun = time.monotonic()
        outcome = execute(plan, engine, out, report, allow_engine_change=allow_engine_change)
        took = time.monotonic() - begun
    for note in engine.info.notes[len(told) :]:
        watch.note(note)
    return Asked(outcome, plan.defects, took, getattr(engine, "cost", None))


def _name(spec: RunSpec) -> str:
    """The name of a model before it is loaded: its own name, or the last part of its path."""
    return spec.model_name or Path(spec.model.partition(":")[2].partition(",")[0]).name or "model"


__all__ = ["Asked", "Scored", "Watcher", "ask", "load", "run", "score"]
