"""``evalsuite schema``: the JSON Schema of every file a run writes."""

from __future__ import annotations

import argparse
import json

from evalsuite.cli.options import Commands, add_command
from evalsuite.cli.output import say

_EXAMPLES = """
evalsuite schema cell
evalsuite schema run > run.schema.json
"""

KINDS = {
    "cell": ("evalsuite.cells", "Cell"),
    "run": ("evalsuite.records", "RunRecord"),
    "sample": ("evalsuite.records", "SampleRecord"),
    "request": ("evalsuite.records", "RequestRecord"),
    "completion": ("evalsuite.types", "Completion"),
    "score": ("evalsuite.types", "Score"),
}


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "schema", main, "Print the JSON Schema of a file or value of a run", _EXAMPLES)
    parser.add_argument("kind", choices=sorted(KINDS), help="the kind of value")


def main(args: argparse.Namespace) -> int:
    """Prints one schema."""
    import importlib

    from evalsuite.runs.directory.store import adapter

    module, name = KINDS[args.kind]
    say(json.dumps(adapter(getattr(importlib.import_module(module), name)).json_schema(), indent=1))
    return 0
