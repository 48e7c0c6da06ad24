"""``evalsuite score-predictions``: other people's answers as a normal run."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.cli.options import Commands, add_command, add_include_path, directory
from evalsuite.cli.output import tell
from evalsuite.errors import UsageError, unknown
from evalsuite.safe_text import plain

_EXAMPLES = """
evalsuite score-predictions Predictions/exam_eval/turbo-16k-0613/*.jsonl --suite leval --out results/turbo
evalsuite score-predictions preds.json --suite zeroscrolls --data ./data --out results/mine
evalsuite score-predictions answers.jsonl --suite plain --model-name my-model --data ./data --out results/mine
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "score-predictions",
        main,
        "Score answers that another program made; the result is a normal run",
        _EXAMPLES,
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="prediction files")
    parser.add_argument(
        "--suite",
        required=True,
        metavar="FORMAT",
        help="format of the files: plain, scrolls, or the name of a benchmark with its own format",
    )
    parser.add_argument("--out", type=directory, required=True, metavar="DIR", help="run directory to write")
    parser.add_argument("--model-name", metavar="NAME", help="name of the model in tables (default: from the files)")
    parser.add_argument(
        "--data", metavar="DIR", help="folder of the publishers' files (default: EVALSUITE_DATA, else the hub)"
    )
    parser.add_argument(
        "--allow-incomplete", action="store_true", help="show values of cells with missing predictions, too"
    )
    add_include_path(parser)


def main(args: argparse.Namespace) -> int:
    """Imports, scores, prints."""
    from evalsuite.cli.run import finish
    from evalsuite.plugins import find_tasks
    from evalsuite.predictions.formats import formats
    from evalsuite.runs.directory.store import read_record
    from evalsuite.runs.imported import import_predictions

    tasks = find_tasks(args.include_path)
    known = formats(args.include_path)
    if args.suite not in known:
        raise UsageError(f"--suite: {unknown('format', args.suite, known)}")
    import_predictions(args.files, known[args.suite], args.out, tasks, data=args.data, model_name=args.model_name)
    for notice in read_record(args.out).notices:
        tell(f"note: {plain(notice)}")
    return finish(args.out, args)
