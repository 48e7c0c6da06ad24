"""``evalsuite data``: where the tasks' data comes from, and whether it is what it was."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.cli.options import Commands, add_command, add_include_path
from evalsuite.cli.output import say

if TYPE_CHECKING:
    from evalsuite.task import Task

_EXAMPLES = """
evalsuite data list
evalsuite data fetch qasper
evalsuite data verify
"""


def add(commands: Commands) -> None:
    """Adds the command and its three forms."""
    parser = add_command(commands, "data", _none, "List, download or check the data of tasks", _EXAMPLES)
    forms = parser.add_subparsers(title="forms", metavar="FORM", required=True)
    for name, command, summary in (
        ("list", _list, "List files, revisions, licences and citations"),
        ("fetch", _fetch, "Download missing files at a fixed commit, with checksums"),
        ("verify", _verify, "Compare files with the checksums of their first download"),
    ):
        form = add_command(forms, name, command, summary, _EXAMPLES)
        form.add_argument("task", nargs="*", metavar="TASK", help="tasks or suites (default: all)")
        form.add_argument(
            "--mirror", metavar="DIR", help="a folder with copies of the hub's files (default: EVALSUITE_MIRROR)"
        )
        form.add_argument(
            "--data", type=Path, metavar="DIR", help="folder of the publishers' files (default: EVALSUITE_DATA)"
        )
        add_include_path(form)


def _none(args: argparse.Namespace) -> int:
    del args
    return 2


def _list(args: argparse.Namespace) -> int:
    from evalsuite.sources import data_list

    say("\n".join(data_list(_tasks(args), args.data)))
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from evalsuite.sources import data_fetch

    for line in data_fetch(_tasks(args), mirror=args.mirror):
        say(line)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from evalsuite.sources import data_verify

    report = data_verify(_tasks(args), args.data, mirror=args.mirror)
    say("\n".join(report.lines()))
    return 0 if report.ok else 2


def _tasks(args: argparse.Namespace) -> tuple[Task, ...]:
    from evalsuite.plugins import find_tasks, select_tasks

    tasks = find_tasks(args.include_path)
    return select_tasks(args.task, tasks) if args.task else tuple(tasks.values())
