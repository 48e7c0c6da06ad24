"""``evalsuite tasks``: what can be asked."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from evalsuite.cli.options import Commands, add_command, add_include_path
from evalsuite.cli.output import say

if TYPE_CHECKING:
    from evalsuite.task import Metric, Task

_EXAMPLES = """
evalsuite tasks
evalsuite tasks qasper
evalsuite tasks --json --include-path ./my_tasks
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "tasks", main, "List all tasks, or describe one", _EXAMPLES)
    parser.add_argument("name", nargs="?", metavar="NAME", help="task or suite to describe")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_include_path(parser)


def main(args: argparse.Namespace) -> int:
    """Lists or describes."""
    from evalsuite.plugins import find_tasks, select_tasks

    tasks = find_tasks(args.include_path)
    chosen = select_tasks([args.name], tasks) if args.name is not None else tuple(tasks.values())
    if args.json:
        say(json.dumps([_json(task) for task in chosen], indent=1))
    elif args.name:
        say("\n\n".join(_description(task) for task in chosen))
    else:
        width = max((len(task.name) for task in chosen), default=0)
        say("\n".join(f"{task.name:<{width}}  {task.suite:<12}  {task.title}" for task in chosen))
    return 0


def _json(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "suite": task.suite,
        "title": task.title,
        "version": task.version,
        "splits": task.splits,
        "split": task.split,
        "protocols": [protocol.name for protocol in task.protocols],
        "metrics": [metric.name for metric in task.metrics],
        "official": {metric.name: metric.official for metric in task.metrics if metric.official},
        "primary": next(metric.name for metric in task.metrics if metric.primary),
        "paper": task.paper,
        "licence": task.dataset.licence,
        "homepage": task.dataset.homepage,
    }


def _description(task: Task) -> str:
    lines = [f"{task.name}: {task.title}", f"  suite      {task.suite}, version {task.version}"]
    lines.append(f"  paper      {task.paper}")
    lines.append(f"  splits     {', '.join(task.splits)} (default {task.split})")
    for protocol in task.protocols:
        room = "log-likelihood" if protocol.options else f"at most {protocol.max_new_tokens} new tokens"
        lines.append(f"  protocol   {protocol.name}: {room}, cut {protocol.strategy}; {protocol.follows}")
        lines.extend([f"             {protocol.note}"] if protocol.note else [])
    lines.append(f"  metrics    {', '.join(map(_metric, task.metrics))}")
    lines.append(f"  data       {task.dataset.homepage}, licence {task.dataset.licence}")
    lines.append(f"             {task.dataset.instructions}")
    lines.extend([f"  note       {task.note}"] if task.note else [])
    return "\n".join(lines)


def _metric(metric: Metric) -> str:
    """Its name, whether it is the primary one, and whose function it follows."""
    said = ["primary"] if metric.primary else []
    said += [f"as {metric.official}"] if metric.official else []
    return f"{metric.name} ({', '.join(said)})" if said else metric.name
