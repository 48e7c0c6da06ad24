"""Options several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalsuite.cli.output import add_logging
from evalsuite.errors import UsageError
from evalsuite.prompts.strategies import STRATEGIES

Commands = Any
"""What ``add_subparsers`` returns; argparse keeps its class private."""

SHOWN = 60
"""Characters of a wrong value that its refusal repeats."""
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")

Command = Callable[[argparse.Namespace], int]


def add_command(
    commands: Commands, name: str, command: Command, summary: str, examples: str
) -> argparse.ArgumentParser:
    """A command with its one-line summary and examples."""
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog="examples:\n" + "".join(f"  {line}\n" for line in examples.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_logging(made)
    made.set_defaults(command=command)
    return made


def names(text: str) -> tuple[str, ...]:
    """``a,b,c``."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise argparse.ArgumentTypeError("expected one or more names, separated by commas")
    return found


def directory(text: str) -> Path:
    """A path; an empty one (an unset shell variable) would mean the current directory."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty; write . for the current directory")
    return Path(text)


def number(text: str) -> int:
    """A whole number; one of more than 18 digits is a slip, and Python refuses to read thousands of them."""
    if not _NUMBER.fullmatch(text.strip()):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a whole number")
    return int(text)


def whole_numbers(text: str) -> tuple[int, ...]:
    """``0,1,2``: whole numbers of at least 0, each once."""
    parts = text.split(",")
    if not all(_NUMBER.fullmatch(part.strip()) for part in parts):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected whole numbers separated by commas")
    found = tuple(map(int, parts))
    if min(found) < 0 or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected different numbers of at least 0")
    return found


def cost(text: str) -> float:
    """A number from 0."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not (math.isfinite(found) and found >= 0):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a number of at least 0")
    return found


def positive(text: str) -> int:
    """A whole number of at least 1."""
    found = int(text) if _NUMBER.fullmatch(text.strip()) else 0
    if found < 1:
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a whole number of at least 1")
    return found


def whole(text: str) -> int:
    """A whole number of at least 0."""
    found = int(text) if _NUMBER.fullmatch(text.strip()) else -1
    if found < 0:
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a whole number of at least 0")
    return found


def _shown(text: str) -> str:
    """What was typed, its beginning where it is very long."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def by_task(option: str, text: str | None) -> dict[str, str]:
    """``test`` for all tasks, ``qasper=train`` for one, or both, separated by commas; ``*`` stands for all others.

    Raises:
        UsageError: no value, or two for one task.
    """
    found: dict[str, str] = {}
    for entry in () if text is None else text.split(","):
        name, equals, value = entry.strip().rpartition("=")
        task = name.strip() if equals else "*"
        if not value.strip() or not task:
            raise UsageError(
                f"{option} {text}: {entry!r} names no value or no task; give VALUE, or TASK=VALUE for one task"
            )
        if task in found:
            whose = "every task" if task == "*" else f"task {task}"
            raise UsageError(f"{option} {text}: two values for {whose}; give one, and others as TASK=VALUE")
        found[task] = value.strip()
    return found


def counts_by_task(option: str, text: str | None) -> dict[str, int]:
    """As ``by_task``, of whole numbers of at least 1.

    Raises:
        UsageError: as there, or another value.
    """
    found = by_task(option, text)
    for value in found.values():
        if not _NUMBER.fullmatch(value) or int(value) < 1:
            raise UsageError(f"{option} {str(text)[:SHOWN]}: expected a whole number of at least 1, or qasper=N,...")
    return {task: int(value) for task, value in found.items()}


def day(text: str) -> str:
    """``YYYY-MM-DD``; ``today`` is resolved at once, so that the record holds the date."""
    from datetime import date, datetime

    if text == "today":
        return datetime.now().astimezone().date().isoformat()
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected today or a date such as 2024-07-26")
    return text


def caps(text: str) -> tuple[int | None, ...]:
    """``4096,16384``, each once; ``model`` stands for the model's own maximum."""
    found = tuple(None if part.strip() == "model" else positive(part) for part in text.split(","))
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected different caps, each once")
    return found


def add_include_path(parser: argparse.ArgumentParser) -> None:
    """``--include-path``."""
    parser.add_argument(
        "--include-path",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder that contains your own task folders (may be repeated)",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """``--model`` and ``--max-model-len``."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="SCHEME:NAME[,k=v]",
        help="hf:PATH, vllm:PATH, openai:NAME,base_url=..., lm-eval:NAME,..., scripted:NAME",
    )
    parser.add_argument(
        "--max-model-len",
        type=positive,
        metavar="N",
        help="maximum tokens of prompt and answer, instead of the model's own value",
    )


def add_questions(parser: argparse.ArgumentParser) -> None:
    """What is asked and how it is shown: options that ``run`` and ``prompts`` share."""
    parser.add_argument("--protocol", metavar="NAME", help="a protocol of the tasks (default: the first of each task)")
    parser.add_argument(
        "--strategy",
        metavar="S",
        help=f"how a prompt that is too long is cut: {', '.join(STRATEGIES)} (default: the protocol's)",
    )
    parser.add_argument(
        "--split",
        metavar="S",
        help="train, validation or test; for one task: qasper=train (default: the default of each task)",
    )
    parser.add_argument(
        "--seed", type=number, default=0, metavar="N", help="seed that draws the demonstrations (default: 0)"
    )
    parser.add_argument(
        "--demo-draw",
        choices=("task", "sample"),
        default="task",
        help="draw demonstrations once for each task, or for each sample (default: task)",
    )
    parser.add_argument(
        "--demo-documents",
        choices=("whole", "placeholder"),
        default="whole",
        help="show demonstrations with their whole documents, or with '...' instead (default: whole)",
    )
    parser.add_argument("--chat-template", action="store_true", help="put the model's chat template around each prompt")
    parser.add_argument(
        "--template-date",
        type=day,
        metavar="DATE",
        help="date that a chat template prints: today or YYYY-MM-DD (default: the template's own default date, else "
        "2024-07-26)",
    )
    parser.add_argument(
        "--share-prefix",
        choices=("off", "aligned"),
        default="off",
        help="aligned: one cut for all questions of a document, whose common prefix is computed once (default: off)",
    )
    parser.add_argument(
        "--max-new-tokens", type=positive, metavar="N", help="limit of answer tokens, instead of the protocol's limit"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder of the publishers' files (default: EVALSUITE_DATA, else the hub)"
    )
    add_include_path(parser)


def question_fields(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a Block that ``add_questions`` gave."""
    names = ("protocol", "strategy", "demo_draw", "demo_documents", "chat_template", "share_prefix")
    rest = ("max_new_tokens", "template_date")
    if args.template_date is not None and not args.chat_template:
        raise UsageError("--template-date is for chat templates: add --chat-template, or leave it out")
    found = {name: getattr(args, name) for name in (*names, *rest)}
    return {**found, "seeds": (args.seed,), "split": by_task("--split", args.split)}


def side_fields(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a RunSpec that ``add_questions`` and ``add_model`` gave."""
    return {"max_model_len": args.max_model_len, "data": args.data, "include_paths": tuple(args.include_path)}
