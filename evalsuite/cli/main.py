"""``evalsuite``: long-context evaluation from the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from evalsuite import __version__
from evalsuite.cli import compare, data, demo, fidelity, predictions, prompts, run, schema, score, submission, tasks
from evalsuite.errors import UsageError
from evalsuite.safe_text import plain

COMMANDS = (demo, tasks, run, prompts, score, predictions, submission, compare, fidelity, data, schema)

EPILOG = """\
examples:
  evalsuite demo --out results/demo
  evalsuite tasks
  evalsuite run --model hf:./llama --tasks narrativeqa,qasper --shots 0,2 --max-prompt-tokens 16384 \\
      --data ./data --out results/llama
  evalsuite compare results/llama results/other --format markdown

exit codes: 0 done, 2 usage or bad input, 3 finished but incomplete, 130 interrupted (run it again to resume)
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="evalsuite",
        description="Long-context evaluation: every cut recorded, nothing dropped, equal to the official scorers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"evalsuite {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code.
    """
    args = parser().parse_args(arguments)
    try:
        return int(args.command(args))
    except UsageError as error:
        print(f"evalsuite: {plain(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("evalsuite: interrupted; run the same command again to go on where it stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader went away (| head): not an error, but Python would complain again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
