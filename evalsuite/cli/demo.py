"""``evalsuite demo``: two small models on a miniature benchmark, no network, no GPU."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.cli.options import Commands, add_command, directory
from evalsuite.cli.output import say, tell

_EXAMPLES = """
evalsuite demo --out results/demo
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "demo", main, "Compare two small models on a miniature benchmark", _EXAMPLES)
    parser.add_argument(
        "--out",
        type=directory,
        default=Path("results/demo"),
        metavar="DIR",
        help="folder for data and runs (default: results/demo)",
    )


def main(args: argparse.Namespace) -> int:
    """Runs the demo and prints its tables."""
    from evalsuite.errors import check_installed

    check_installed("hf", "the demo", "torch", "transformers")
    # before anything heavy is imported: the first sign of life
    say(f"Two checkpoints of a few megabytes, four tasks, generated documents; everything lands in {args.out}.\n")
    from evalsuite.cli.watching import OnTerminal
    from evalsuite.demo.show import run_demo

    tell("writing documents and loading the models ...")
    for text in run_demo(args.out, OnTerminal(named=True)):
        say(text)
    return 0
