"""``evalsuite submission``: a run's answers as the file a leaderboard takes."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.cli.options import Commands, add_command, add_include_path, directory
from evalsuite.cli.output import say
from evalsuite.errors import UsageError, unknown

if TYPE_CHECKING:
    from evalsuite.benchmark import Submission
    from evalsuite.runs.run import Run
    from evalsuite.task import Task

_EXAMPLES = """
evalsuite submission results/llama --out llama.csv --data ./data
evalsuite submission results/llama --cell /api/ --out llama.csv
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    summary = "Write the answers of a run as the file of a leaderboard; missing and extra ids are refused"
    parser = add_command(commands, "submission", main, summary, _EXAMPLES)
    parser.add_argument("folder", type=directory, metavar="DIR", help="a run directory, or a folder of runs")
    parser.add_argument("--out", type=directory, required=True, metavar="FILE.csv", help="the file to write")
    parser.add_argument("--suite", help="suite of the leaderboard (default: that of the tasks asked)")
    parser.add_argument("--split", help="split that was answered (default: the split of the leaderboard)")
    parser.add_argument(
        "--cell", default="", metavar="TEXT", help="if tasks have several cells: take those whose name contains TEXT"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder of the official files (default: EVALSUITE_DATA, else the hub)"
    )
    add_include_path(parser)


def main(args: argparse.Namespace) -> int:
    """Collects, checks, writes."""
    from evalsuite.plugins import find_tasks
    from evalsuite.runs.run import open_runs
    from evalsuite.shared_files import write_atomic

    runs = open_runs([args.folder])
    ours = _submission(args.suite, args.include_path, {one.task for run in runs for one in run.record.settings})
    split = args.split or ours.split
    predictions = _predictions(runs, ours, split, args.cell)
    tasks = find_tasks(args.include_path)
    expected = {name: _ids(tasks[task], split, args.data) for task, name in ours.tasks.items() if name in predictions}
    write_atomic(args.out, ours.write(predictions, expected).encode())
    say(f"{args.out}: {sum(map(len, predictions.values()))} predictions of {len(predictions)} sets")
    return 0


def _submission(suite: str | None, include_paths: Sequence[str], asked: Collection[str]) -> Submission:
    """How a suite's submission is written; without a name that of the one leaderboard whose tasks were asked.

    Raises:
        UsageError: no benchmark has one of that name, or it has to be named.
    """
    from evalsuite.plugins import find_benchmarks

    benchmarks = find_benchmarks(include_paths).values()
    known = {one.submission.suite: one.submission for one in benchmarks if one.submission}
    if suite is not None and suite not in known:
        raise UsageError(f"--suite: {unknown('submission', suite, known)}")
    fits = [one for one in known.values() if (one.suite == suite if suite else set(asked) & set(one.tasks))]
    if len(fits) != 1:
        found = f"tasks of {' and '.join(one.suite for one in fits)}" if fits else "no leaderboard's tasks"
        raise UsageError(f"{found} were asked there: say whose leaderboard with --suite ({', '.join(known)})")
    return fits[0]


def _predictions(runs: Iterable[Run], ours: Submission, split: str, part: str) -> dict[str, Mapping[str, str]]:
    """Answers by set and id, of the one cell that each set was asked in.

    Raises:
        UsageError: no set was asked, or one in several cells.
    """
    found: dict[str, tuple[str, Mapping[str, str]]] = {}
    for run in runs:
        for task, key, answers in _cells(run, ours, split, part):
            if task in found:
                raise UsageError(
                    f"{task} was answered in several cells, {found[task][0]} and {key}: choose with --cell TEXT, or "
                    "give one run directory"
                )
            found[task] = (key, answers)
    if not found:
        raise UsageError(f"no run there asked a set of {ours.suite} of the split {split!r} (and --cell {part!r})")
    return {ours.tasks[task]: answers for task, (_, answers) in found.items()}


def _cells(run: Run, ours: Submission, split: str, part: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Task, cell and answers of every cell of a run that asked an official set."""
    if not run.samples:  # read, so that damage is found before anything is sent anywhere
        return
    chosen = {one.key: one for one in run.record.settings if one.task in ours.tasks and one.split == split}
    answers: dict[str, dict[str, str]] = {key: {} for key in chosen if part in key}
    for request in run.requests:
        completion = run.completions.get(request.key or "")
        if request.cell in answers and completion is not None and completion.error is None:
            answers[request.cell][request.sample_id] = completion.text.strip()
    for key, given in answers.items():
        yield chosen[key].task, key, given


def _ids(task: Task, split: str, data: str | None) -> tuple[str, ...]:
    from evalsuite.sources import open_source
    from evalsuite.task import Selection

    source = open_source(task.dataset, None if data is None else Path(data), split=split, task=task.name)
    return tuple(sample.id for sample in task.samples(Selection(source, split)))
