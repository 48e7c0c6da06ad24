"""``evalsuite score``: score again what a run answered."""

from __future__ import annotations

import argparse

from evalsuite.cli.options import Commands, add_command, add_include_path, directory, names

_EXAMPLES = """
evalsuite score results/llama
evalsuite score results/llama --allow-incomplete
evalsuite score results/llama --tasks lm-eval:./my_task.yaml
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "score", main, "Score the answers of a run again and print its table", _EXAMPLES)
    parser.add_argument("folder", type=directory, metavar="DIR", help="a run directory, or a folder of runs")
    parser.add_argument("--allow-incomplete", action="store_true", help="show values of cells with failed samples, too")
    parser.add_argument(
        "--tasks",
        type=names,
        default=(),
        metavar="lm-eval:FILE.yaml",
        help="YAML files of lm-eval tasks that the run asked; their code is loaded only if they are named here",
    )
    add_include_path(parser)


def main(args: argparse.Namespace) -> int:
    """Scores every run named."""
    from evalsuite.cli.run import finish
    from evalsuite.runs.directory.store import run_folders

    return max(finish(folder, args) for folder in run_folders([args.folder]))
