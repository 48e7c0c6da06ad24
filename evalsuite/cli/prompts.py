"""``evalsuite prompts``: one prompt as the model will read it, the cut and the evidence marked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from evalsuite.cli.options import (
    Commands,
    add_command,
    add_model,
    add_questions,
    positive,
    question_fields,
    side_fields,
    whole,
)
from evalsuite.cli.output import say

if TYPE_CHECKING:
    from evalsuite.records import RunSpec

_EXAMPLES = """
evalsuite prompts qasper --model hf:./llama --sample 1909.00694-0 --data ./data
evalsuite prompts qmsum --model hf:./llama --sample val-0-general-0 --shots 1 --max-prompt-tokens 4096 --full
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "prompts", main, "Show a prompt as the model gets it", _EXAMPLES)
    parser.add_argument("task", metavar="TASK", help="name of a task")
    add_model(parser)
    parser.add_argument("--sample", metavar="ID", help="id of the sample (default: the first)")
    parser.add_argument("--shots", type=whole, default=0, metavar="N", help="number of demonstrations (default: 0)")
    parser.add_argument("--max-prompt-tokens", type=positive, metavar="N", help="cap: maximum tokens of the prompt")
    length = "use the documents in DATA/length-N; a task that generates documents makes them N tokens long"
    parser.add_argument("--length", type=positive, metavar="N", help=length)
    parser.add_argument("--full", action="store_true", help="show the whole text, not only its two ends and the marks")
    add_questions(parser)


def main(args: argparse.Namespace) -> int:
    """Prepares one request and prints it."""
    from evalsuite.cli.startup import loading
    from evalsuite.engines.registry import open_prompt_side
    from evalsuite.interop.selection import choose_tasks
    from evalsuite.plugins import find_tasks
    from evalsuite.prompts.show import show
    from evalsuite.runs.asking.requests import find_question
    from evalsuite.runs.planning.make_plan import make_plan

    tasks = choose_tasks([args.task], find_tasks(args.include_path))
    with loading():
        model = open_prompt_side(args.model, max_model_len=args.max_model_len)
    plan = make_plan(_spec(args), (tasks[:1],), model)
    question = find_question(plan, model, args.sample)
    lines = show(question.sample, question.rendered, question.fitted(), model.tokenizer, full=args.full)
    say("\n".join(lines))
    return 0


def _spec(args: argparse.Namespace) -> RunSpec:
    from evalsuite.records import Block, RunSpec

    block = Block(
        (args.task,), (args.shots,), (args.max_prompt_tokens,), lengths=(args.length,), **question_fields(args)
    )
    return RunSpec(args.model, (block,), **side_fields(args))
