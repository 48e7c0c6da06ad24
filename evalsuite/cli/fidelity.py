"""``evalsuite fidelity``: golden cases of the official code, computed here and checked."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalsuite.cli.options import Commands, add_command, add_include_path, names
from evalsuite.cli.output import say

_EXAMPLES = """
evalsuite fidelity check golden/scrolls.jsonl.gz golden/aggregates.jsonl --only scrolls
evalsuite fidelity compute golden/qasper.jsonl.gz --out values.jsonl
evalsuite fidelity tasks --include-path ./my_tasks
"""


def add(commands: Commands) -> None:
    """Adds the command and its forms."""
    parser = add_command(
        commands, "fidelity", _none, "Compare evalsuite's values with those of the official scorers", _EXAMPLES
    )
    forms = parser.add_subparsers(title="forms", metavar="FORM", required=True)
    compute = add_command(
        forms, "compute", _compute, "Write evalsuite's value of every case, without reading `expected`", _EXAMPLES
    )
    compute.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files of golden cases")
    compute.add_argument("--out", type=Path, required=True, metavar="FILE", help="file for the values")
    check = add_command(forms, "check", _check, "Print how many cases agree", _EXAMPLES)
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files of golden cases")
    check.add_argument(
        "--only", type=names, default=(), metavar="PREFIX,...", help="only metrics whose names begin with these"
    )
    tasks = add_command(forms, "tasks", _tasks, "Print which prompts and scores each task follows", _EXAMPLES)
    add_include_path(tasks)
    for form in (compute, check):
        form.add_argument("--tokenizers", type=Path, metavar="DIR", help="folder with the tokenizers of prompt cases")


def _none(args: argparse.Namespace) -> int:
    del args
    return 2


def _compute(args: argparse.Namespace) -> int:
    from evalsuite.fidelity import compute

    say(f"{compute(args.files, args.out, args.tokenizers)} values written to {args.out}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from evalsuite.fidelity import check

    report = check(args.files, args.only, args.tokenizers)
    say("\n".join(report.lines()))
    return 0 if report.agreed == report.total else 1


def _tasks(args: argparse.Namespace) -> int:
    from evalsuite.fidelity.page import from_tasks

    say(from_tasks(args.include_path), end="")
    return 0
