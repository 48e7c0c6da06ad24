"""``evalsuite run``: ask a model, score it, show the table."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.cli.options import (
    Commands,
    add_command,
    add_model,
    add_questions,
    caps,
    cost,
    counts_by_task,
    directory,
    names,
    question_fields,
    side_fields,
    whole_numbers,
)
from evalsuite.cli.output import complain, say, tell
from evalsuite.safe_text import plain

if TYPE_CHECKING:
    from evalsuite.records import RunSpec

INCOMPLETE = 3
"""Exit code of a run that ended with something missing."""
_EXAMPLES = """
evalsuite run --model hf:./llama --tasks narrativeqa,qasper,quality,qmsum --shots 0,1,2 \\
    --max-prompt-tokens 16384 --data ./data --out results/llama
evalsuite run --model hf:meta-llama/Llama-2-7b-hf,dtype=bfloat16 --tasks llama2-long --out results/llama2
evalsuite run --model scripted:first-words --tasks qmsum --limit-documents 2 --data ./data --out results/try
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "run", main, "Ask a model and score its answers; the same command continues a stopped run", _EXAMPLES
    )
    add_model(parser)
    parser.add_argument(
        "--tasks",
        type=names,
        required=True,
        metavar="A,B",
        help="tasks or suites (see `evalsuite tasks`), or lm-eval:NAME",
    )
    parser.add_argument(
        "--out", type=directory, required=True, metavar="DIR", help="run directory; a run that is there is continued"
    )
    parser.add_argument(
        "--shots", type=whole_numbers, default=(0,), metavar="0,1,2", help="numbers of demonstrations (default: 0)"
    )
    parser.add_argument(
        "--max-prompt-tokens",
        type=caps,
        default=(None,),
        metavar="N,M",
        help="caps: maximum tokens of a prompt; 'model' is the model's own maximum (default)",
    )
    lengths = (
        "ask the documents in DATA/length-N and DATA/length-M; tasks that generate documents make them N, M tokens long"
    )
    parser.add_argument("--lengths", type=whole_numbers, metavar="N,M", help=lengths)
    parser.add_argument("--skip-missing-data", action="store_true", help="leave out tasks whose data is missing")
    parser.add_argument("--skip-impossible", action="store_true", help="leave out cells that cannot be asked")
    parser.add_argument(
        "--limit-documents",
        metavar="N",
        help="only the first N documents with text; for one task: narrativeqa=N",
    )
    parser.add_argument("--model-name", metavar="NAME", help="name of the model in tables (default: its own name)")
    parser.add_argument(
        "--max-cost",
        type=cost,
        metavar="X",
        help="openai: stop before the run costs more than X; needs price_in, price_out",
    )
    parser.add_argument("--allow-incomplete", action="store_true", help="show values of cells with failed samples, too")
    parser.add_argument(
        "--allow-engine-change", action="store_true", help="continue a run that began with another engine"
    )
    add_questions(parser)


def main(args: argparse.Namespace) -> int:
    """Asks, scores, prints."""
    from evalsuite.api import ask
    from evalsuite.cli.progress import summary
    from evalsuite.cli.watching import OnTerminal

    with _each_on_its_line():
        asked = ask(
            spec_of(args),
            args.out,
            OnTerminal(),
            allow_engine_change=args.allow_engine_change,
            max_cost=args.max_cost,
        )
    outcome = asked.outcome
    if outcome.damaged:
        where = ", ".join(map(str, outcome.damaged))
        tell(f"note: completions.jsonl: damaged lines were left out, their samples asked again: {where}")
    if outcome.interrupted:
        tell(f"interrupted after {outcome.done} of {outcome.asked}; the same command goes on from there")
        return 130
    code = finish(args.out, args)
    tell(summary(outcome, asked.seconds, asked.cost))
    tell(f"results in {plain(str(args.out))}; show them again: evalsuite compare {plain(str(args.out))}")
    return max(code, INCOMPLETE if asked.defects else 0)


@contextmanager
def _each_on_its_line() -> Iterator[None]:
    """Shows several things that cannot be asked one below the other."""
    from evalsuite.errors import ImpossibleError, UsageError

    try:
        yield
    except ImpossibleError as error:
        for problem in error.problems:
            complain(f"cannot be asked: {plain(problem)}")
        raise UsageError(
            f"{len(error.problems)} problems, listed above; mend them, or go on without with --skip-impossible "
            "(--skip-missing-data for missing data)"
        ) from None


def finish(out: Path, args: argparse.Namespace) -> int:
    """Scores a run directory and prints its table.

    Returns:
        0, or 3 when some cell is incomplete.
    """
    from evalsuite.api import score
    from evalsuite.compare.formats import render

    named, paths = tuple(getattr(args, "tasks", ())), tuple(args.include_path)
    scored = score(out, include_paths=paths, named=named, allow_incomplete=args.allow_incomplete)
    say(render(scored.cells, "terminal"))
    for line in scored.run.remarks():
        tell(f"note: {plain(line)}")
    for line in scored.defects:
        complain(f"defect: {plain(line)}")
    incomplete = [cell for cell in scored.cells if cell.primary and not cell.complete]
    for cell in (cell for cell in incomplete if cell.failed):
        asked = f"{cell.task} {cell.shots}-shot, cap {cell.max_prompt_tokens or 'model'}"
        complain(
            f"incomplete: {asked}: {cell.failed} of {cell.asked} failed or missing; run it again to ask those, or see "
            "`evalsuite score --allow-incomplete`"
        )
    return INCOMPLETE if incomplete or scored.defects else 0


def spec_of(args: argparse.Namespace) -> RunSpec:
    """What was asked for."""
    from evalsuite.records import Block, RunSpec

    block = Block(
        args.tasks,
        args.shots,
        args.max_prompt_tokens,
        args.lengths or (None,),
        limit_documents=counts_by_task("--limit-documents", args.limit_documents),
        **question_fields(args),
    )
    return RunSpec(
        args.model,
        (block,),
        args.model_name,
        skip_missing_data=args.skip_missing_data,
        skip_impossible=args.skip_impossible,
        **side_fields(args),
    )
