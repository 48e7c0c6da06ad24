"""``evalsuite``: long-context evaluation from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evalsuite import __version__
from evalsuite.cli import compare, data, demo, fidelity, predictions, prompts, run, schema, score, submission, tasks
from evalsuite.cli.output import complain, show_what_can_be_shown, start_logging
from evalsuite.errors import EngineError, UsageError
from evalsuite.safe_text import plain

COMMANDS = (demo, tasks, run, prompts, score, predictions, submission, compare, fidelity, data, schema)

EPILOG = """\
examples:
  evalsuite demo --out results/demo
  evalsuite tasks
  evalsuite run --model hf:./llama --tasks narrativeqa,qasper --shots 0,2 --max-prompt-tokens 16384 \\
      --data ./data --out results/llama
  evalsuite compare results/llama results/other --format markdown

environment variables:
  EVALSUITE_DATA    folder of the publishers' files, if --data is not given
  EVALSUITE_MIRROR  folder with copies of the hub's files
  EVALSUITE_CACHE   folder for downloaded files (default: ~/.cache/evalsuite)
The page "Data files" of the guide lists all environment variables.

exit codes:
  0    done
  2    wrong usage or bad input
  3    finished, but incomplete
  4    the runs cannot be compared
  130  interrupted (the same command continues the run)
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="evalsuite",
        description="Long-context evaluation of language models. Every cut is recorded. Nothing is dropped.\n"
        "Scores equal those of the official scorers.",
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
    show_what_can_be_shown()
    start_logging()
    try:
        _check_text(sys.argv[1:] if arguments is None else arguments)
        args = parser().parse_args(arguments)
        start_logging(args)
        return int(args.command(args))
    except UsageError as error:
        complain(f"evalsuite: {plain(str(error))}")
    except EngineError as error:
        said = "a defect of the engine, not of your command: report it to its author; answers so far are kept"
        complain(f"evalsuite: {plain(str(error))}; this is {said}")
    except OSError as error:
        complain(f"evalsuite: {plain(str(error))}; mend that and run the same command again")
    except KeyboardInterrupt:
        complain("evalsuite: interrupted; run the same command again to go on where it stopped")
        return 130
    return 2


def _check_text(arguments: Sequence[str]) -> None:
    """Refuses names and paths that no file of a run could hold."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{argument!a} is not UTF-8; give names and paths that are") from None


if __name__ == "__main__":
    sys.exit(main())
