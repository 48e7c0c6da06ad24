"""``evalsuite compare``: several runs in one table."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.cli.options import Commands, add_command
from evalsuite.cli.output import say, tell
from evalsuite.errors import UsageError
from evalsuite.safe_text import plain

_EXAMPLES = """
evalsuite compare results/llama results/other
evalsuite compare results --format markdown --every-metric
evalsuite compare results/llama --format json > cells.json
"""

FORMATS = ("terminal", "markdown", "csv", "latex", "json")


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "compare", main, "Show runs side by side", _EXAMPLES)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="run directories, or folders of them")
    parser.add_argument("--format", choices=FORMATS, default="terminal")
    parser.add_argument("--every-metric", action="store_true", help="not only each task's primary metric")


def main(args: argparse.Namespace) -> int:
    """Reads the runs' cells and prints them.

    Returns:
        0, or 3 when some cell shown is incomplete.
    """
    from evalsuite.compare.differences import differences
    from evalsuite.compare.formats import render
    from evalsuite.runs.store import CELLS, read_record, read_value, run_folders
    from evalsuite.types import Cell

    folders = run_folders(args.folders)
    for folder in folders:
        if not (folder / CELLS).is_file():
            raise UsageError(
                f"{folder} has no scores: its run was cut short; run it again, or `evalsuite score {folder}`"
            )
    cells: list[Cell] = [cell for folder in folders for cell in read_value(folder / CELLS, tuple[Cell, ...])]
    for line in differences({str(folder): read_record(folder) for folder in folders}):
        tell(f"note: {plain(line)}")
    say(render(cells, args.format, every_metric=args.every_metric), end="")
    return 0 if all(cell.complete for cell in cells) else 3
