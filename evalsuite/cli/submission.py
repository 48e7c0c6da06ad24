"""``evalsuite submission``: a run's answers as the file the ZeroSCROLLS leaderboard takes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.cli.options import Commands, add_command
from evalsuite.cli.output import say
from evalsuite.errors import UsageError

if TYPE_CHECKING:
    from evalsuite.task import Task

PREFIX = "zeroscrolls_"
_EXAMPLES = """
evalsuite submission results/llama --out llama.csv --data ./data
evalsuite submission results/llama --cell /api/ --out llama.csv
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    summary = "Write a run's ZeroSCROLLS answers as a submission (CSV), checked for missing and extra ids"
    parser = add_command(commands, "submission", main, summary, _EXAMPLES)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a run directory, or a folder of them")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--split", default="test", help="the split that was answered (default: test)")
    parser.add_argument("--cell", default="", metavar="TEXT", help="take cells whose name holds this, of several")
    parser.add_argument("--data", metavar="DIR", help="the official files (default: EVALSUITE_DATA, else the hub)")


def main(args: argparse.Namespace) -> int:
    """Collects, checks, writes."""
    from evalsuite.plugins import find_tasks, module
    from evalsuite.runs.store import run_folders, write_atomic

    folders = run_folders([args.folder])
    predictions = _predictions(folders, args.split, args.cell)
    ours = module("zeroscrolls", "submission")
    tasks = find_tasks()
    expected = {config: _ids(tasks[PREFIX + config], args) for config in ours.CONFIGS if config in predictions}
    text: str = ours.submission(predictions, expected)
    write_atomic(args.out, text.encode())
    say(f"{args.out}: {sum(map(len, predictions.values()))} predictions of {len(predictions)} sets")
    return 0


def _predictions(folders: Sequence[Path], split: str, part: str) -> dict[str, Mapping[str, str]]:
    """Answers by set and id, of the one cell that each set was asked in.

    Raises:
        UsageError: no set was asked, or one in several cells.
    """
    found: dict[str, tuple[str, Mapping[str, str]]] = {}
    for folder in folders:
        for task, key, answers in _cells(folder, split, part):
            if task in found:
                raise UsageError(
                    f"{task} was answered in several cells, {found[task][0]} and {key}: choose with --cell TEXT, or "
                    "give one run directory"
                )
            found[task] = (key, answers)
    if not found:
        raise UsageError(f"no run there asked a set of ZeroSCROLLS of the split {split!r} (and --cell {part!r})")
    return {task.removeprefix(PREFIX): answers for task, (_, answers) in found.items()}


def _cells(folder: Path, split: str, part: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Task, cell and answers of every cell of a run that asked an official set."""
    from evalsuite.records import RequestRecord
    from evalsuite.runs import store
    from evalsuite.runs.journal import read_journal

    settings = store.read_record(folder).settings
    chosen = {one.key: one for one in settings if one.task.startswith(PREFIX) and one.split == split}
    answers: dict[str, dict[str, str]] = {key: {} for key in chosen if part in key}
    completions = read_journal(folder / store.COMPLETIONS).completions
    for request in store.read_lines(folder / store.REQUESTS, RequestRecord) if answers else ():
        completion = completions.get(request.key or "")
        if request.cell in answers and completion is not None and completion.error is None:
            answers[request.cell][request.sample_id] = completion.text.strip()
    for key, given in answers.items():
        yield chosen[key].task, key, given


def _ids(task: Task, args: argparse.Namespace) -> tuple[str, ...]:
    from evalsuite.sources import open_source

    root = None if args.data is None else Path(args.data)
    source = open_source(task.dataset, root, split=args.split, task=task.name)
    return tuple(sample.id for sample in task.samples(source, args.split))
