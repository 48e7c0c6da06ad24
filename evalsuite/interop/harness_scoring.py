"""Scoring an answer with lm-eval's own filters and ``process_results``."""

from __future__ import annotations

from typing import Any

from evalsuite.errors import UsageError
from evalsuite.types import Completion, Sample, ScoredAnswer

NO_FILTER = "none"


def metric_names(part: Any) -> tuple[str, ...]:
    """The metrics of a task that are means over samples and better when higher, as lm-eval's tables name them.

    A task with several filters has each metric once a filter: ``exact_match,strict-match``.
    """
    rules = part.aggregation()
    better = part.higher_is_better()
    plain = [name for name, rule in rules.items() if _is_mean(rule) and better.get(name, True)]
    filters = [ensemble.name for ensemble in part._filters]  # noqa: SLF001 - lm-eval has no other way to ask
    return tuple(_name(metric, key) for key in filters for metric in plain)


def score_doc(part: Any, doc: Any, sample: Sample, completion: Completion) -> ScoredAnswer:
    """What lm-eval makes of an answer, times 100.

    Raises:
        UsageError: a value outside 0 to 1: its scale is not known.
    """
    answers = _answers(sample, completion)
    instances = _instances(part, doc, answers)
    values: dict[str, float] = {}
    for ensemble in part._filters:  # noqa: SLF001 - as above
        ensemble.apply(instances)
        found = part.process_results(doc, [instance.filtered_resps[ensemble.name] for instance in instances])
        values |= {_name(metric, ensemble.name): value for metric, value in found.items()}
    return ScoredAnswer({name: _scaled(part, name, values[name]) for name in metric_names(part)}, _shown(completion))


def _answers(sample: Sample, completion: Completion) -> list[Any]:
    """Responses in the form lm-eval's models give them."""
    if not sample.attributes["options"]:
        return [completion.text]
    scores = completion.options
    if not sample.attributes["pairs"]:
        return [(score.logprob, score.greedy) for score in scores]
    # A continuation counts as the model's first choice only where the rest of the prompt was, too: more is not told.
    return [(whole.logprob - rest.logprob, whole.greedy) for rest, whole in zip(scores[::2], scores[1::2], strict=True)]


def _instances(part: Any, doc: Any, answers: list[Any]) -> list[Any]:
    from lm_eval.api.instance import Instance

    kind = "generate_until" if part.OUTPUT_TYPE == "generate_until" else "loglikelihood"
    made = [Instance(kind, doc, ("", ""), number) for number in range(len(answers))]
    for instance, answer in zip(made, answers, strict=True):
        instance.resps.append(answer)
    return made


def _scaled(part: Any, name: str, value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise UsageError(f"{part.task_name}: lm-eval's {name} is {number}, outside 0 to 1; its scale is not known")
    return 100 * number


def _shown(completion: Completion) -> str:
    if not completion.options:
        return completion.text
    best = max(range(len(completion.options)), key=lambda number: completion.options[number].logprob)
    return f"option {best}"


def _is_mean(rule: Any) -> bool:
    from lm_eval.api.metrics import mean

    return rule is mean


def _name(metric: str, key: str) -> str:
    return metric if key == NO_FILTER else f"{metric},{key}"
