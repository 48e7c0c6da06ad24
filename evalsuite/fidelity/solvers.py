"""Metric name -> function that computes one golden case, scores and prompts alike."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from evalsuite.fidelity.cases import Case, Line, golden_prompts
from evalsuite.fidelity.scores import SCORES

Solver = Callable[[Line], Any]


def solvers(tokenizers: Path | None) -> Mapping[str, Solver]:
    """Every metric that is known.

    Args:
        tokenizers: folder of the golden tokenizers, for prompt cases; by default beside their files.
    """
    scores = {metric: partial(_score, score) for metric, score in SCORES.items()}
    prompts = (one.metric for one in golden_prompts().values())
    return {**scores, **dict.fromkeys(prompts, _prompts(tokenizers))}


def _score(score: Callable[[Case], Any], line: Line) -> Any:
    return score(line.case)


def _prompts(tokenizers: Path | None) -> Solver:
    @cache
    def context(folder: Path) -> Any:
        from evalsuite.fidelity.prompt_inputs import PromptContext

        return PromptContext(folder, tokenizers=tokenizers)

    def value(line: Line) -> Any:
        from evalsuite.fidelity.prompts import compute_prompt

        return compute_prompt(line.case, context(line.path.parent))

    return value
