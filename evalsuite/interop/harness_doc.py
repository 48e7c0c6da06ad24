"""One doc of an lm-eval task as a prompt and options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.types import Part, Parts, Role, Sample


@dataclass(frozen=True, slots=True)
class Asked:
    """What lm-eval asks about one doc."""

    prompt: str
    options: tuple[str, ...] = ()
    """Continuations whose log-likelihoods are compared."""
    pairs: bool = False
    """The choices stand in the prompts and the continuation is one: options come in pairs (the rest of the prompt,
    and the rest with the continuation), and a choice's log-likelihood is the difference."""
    target: str = ""


def asked_of(part: Any, doc: Any) -> Asked:
    """What lm-eval's task asks about a doc.

    Args:
        part: the task.
        doc: one of its docs.

    Raises:
        UsageError: it asks for log-likelihoods in a way we cannot.
    """
    context = part.fewshot_context(doc, num_fewshot=part.config.num_fewshot, gen_prefix=part.doc_to_prefix(doc))
    instances = part.construct_requests(doc=doc, ctx=context, metadata=(part.task_name, 0, 1))
    instances = instances if isinstance(instances, list) else [instances]
    target = str(part.doc_to_target(doc))
    if part.OUTPUT_TYPE == "generate_until":
        return Asked(instances[0].args[0], target=target)
    pairs = [(str(instance.args[0]), str(instance.args[1])) for instance in instances]
    contexts = {prompt for prompt, _ in pairs}
    if len(contexts) == 1:
        return Asked(pairs[0][0], tuple(continuation for _, continuation in pairs), target=target)
    return _paired(part, pairs, target)


def _paired(part: Any, pairs: list[tuple[str, str]], target: str) -> Asked:
    """Several prompts, as in WinoGrande: ``log P(y | x z) = log P(z y | x) - log P(z | x)``, x what they begin with."""
    shared = _common_beginning([prompt for prompt, _ in pairs])
    # Words are not torn apart: their tokens would be others than in the whole prompt.
    shared = shared[: max(shared.rfind(" "), shared.rfind("\n"), 0)]
    if not shared:
        raise UsageError(f"{part.task_name}: its options have prompts with no common beginning; not supported")
    options = (text for prompt, y in pairs for text in (prompt[len(shared) :], prompt[len(shared) :] + y))
    return Asked(shared, tuple(options), pairs=True, target=target)


def _common_beginning(texts: Sequence[str]) -> str:
    """The longest text all of them begin with."""
    first, last = min(texts), max(texts)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:length]


def split_prompt(prompt: str) -> tuple[str, str]:
    """The part of a prompt that may be cut, from the left as lm-eval would, and its last line, which may not.

    Options are encoded behind the last line, so that they are read as they continue it.
    """
    ends = prompt.rstrip()
    border = max(ends.rfind("\n"), 0) or max(ends.rfind(" "), 0)
    return (prompt[:border], prompt[border:]) if border else (prompt, "")


def prompt_of(sample: Sample) -> Parts:
    """The prompt in its two parts."""
    head = Part(Role.DOCUMENT, sample.document.text)
    return (head, Part(Role.QUESTION, sample.question)) if sample.question else (head,)


def options_of(sample: Sample) -> tuple[str, ...]:
    """The continuations to score."""
    return tuple(sample.attributes["options"])
