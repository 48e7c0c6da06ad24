"""``evalsuite compare``: several runs in one table."""

from __future__ import annotations

import argparse

from evalsuite.cli.options import Commands, add_command, directory
from evalsuite.cli.output import say, tell
from evalsuite.compare.formats import FORMATS, LAYOUTS, render
from evalsuite.errors import UsageError
from evalsuite.safe_text import plain

_EXAMPLES = """
evalsuite compare results/llama results/other
evalsuite compare results --format markdown --every-metric
evalsuite compare results/llama --format json > cells.json
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "compare", main, "Compare runs in one table", _EXAMPLES)
    parser.add_argument("folders", type=directory, nargs="+", metavar="DIR", help="run directories, or folders of runs")
    parser.add_argument(
        "--format", choices=tuple(FORMATS), default="terminal", help="format of the output (default: terminal)"
    )
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="auto",
        help="tables: a table for each task; wide: one table with an average for each suite (default: auto: wide "
        "with more than six tasks)",
    )
    parser.add_argument(
        "--every-metric", action="store_true", help="show all metrics, not only the primary metric of each task"
    )


def main(args: argparse.Namespace) -> int:
    """Reads the runs' cells and prints them.

    Returns:
        0; 4 when runs asked different questions; 3 when some run or cell shown is incomplete.
    """
    from evalsuite.compare.differences import differences, incomparable
    from evalsuite.runs.run import open_runs

    runs = open_runs(args.folders)
    without = [run.folder for run in runs if not run.cell_values]
    if len(without) == len(runs):
        first = runs[0].folder
        raise UsageError(f"{first} has no scores: its run was cut short; run it again, or `evalsuite score {first}`")
    records = {str(run.folder): run.record for run in runs}
    said = dict.fromkeys(line for run in runs for line in run.remarks())
    missing = (
        f"{folder} has no scores yet: none of it is in the table; `evalsuite score {folder}`" for folder in without
    )
    for line in (*differences(records), *missing, *said):
        tell(f"note: {plain(line)}")
    cells = [cell for run in runs for cell in run.cell_values]
    say(render(cells, args.format, every_metric=args.every_metric, layout=args.layout), end="")
    if any(incomparable(records)):
        return 4
    return 3 if without or not all(cell.complete for cell in cells) else 0
