"""How L-Eval asks: the protocols of its scripts, and one that does not show the length of the gold answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evalsuite.task import PromptProtocol
from evalsuite.types import Part, Parts, Role, Sample

from .official import Ask, cut_rule, parts
from .prompts import SCRIPTS, Script, build_prompt, prediction_path
from .reader import FACT
from .scoring import scorer_of
from .sets import Set

COMMIT = "OpenLMLab/LEval@cd34b05"
MAX_NEW_TOKENS = 512
"""Of every script, for every set."""

DEFAULT: Script = "turbo16k-test"
BLIND = "blind"
BLIND_TAIL = " Output: "

SHOWS_LENGTH = (
    "Length-instruction-enhanced: the prompt shows the gold length (words of the gold answer); not a blind setting."
)
LIMIT = (
    "Under `official` the cap is the scripts' argument --max_length in whole thousands (16384 is 16k): the document "
    "alone is cut to k x 1000 - 512 tokens by steps of 250 words."
)
PLAIN = "Without --chat-template the messages stand one after the other behind one BOS."


def protocols(one: Set) -> tuple[PromptProtocol, ...]:
    """Return a set's protocols, the default first.

    That is turbo16k-test: system prompt and message without any model's markup, so that it suits a plain engine and,
    with `--chat-template`, a chat model. The two others carry the frames of Llama 2 chat and Vicuna as text.
    """
    ordered = (DEFAULT, *(script for script in SCRIPTS if script != DEFAULT))
    return (*(_scripted(script, one) for script in ordered), _blind(one))


def _scripted(script: Script, one: Set) -> PromptProtocol:
    shown = (SHOWS_LENGTH,) if one.kind == "open" else ()
    plain = (PLAIN,) if script == DEFAULT else ()
    source = f"{COMMIT}, Baselines/{script}.py"
    return _protocol(one, script, script, source, _ask(script, one), (*shown, *plain))


def _blind(one: Set) -> PromptProtocol:
    """The default without the sentence on the length; the same prompt where there is none."""
    asked = _ask(DEFAULT, one)

    def blind(sample: Sample) -> Parts:
        return tuple(
            replace(part, text=BLIND_TAIL) if part.role is Role.RESPONSE and one.kind == "open" else part
            for part in asked(sample)
        )

    source = f"{COMMIT}, Baselines/{DEFAULT}.py without the suggested output length"
    return _protocol(one, BLIND, DEFAULT, source, blind, ("The gold answer's length is not shown.", PLAIN))


def _protocol(one: Set, name: str, script: Script, source: str, ask: Ask, notes: tuple[str, ...]) -> PromptProtocol:
    return PromptProtocol(
        name=name,
        follows=source,
        prompt=ask,
        score=scorer_of(one),
        max_new_tokens=MAX_NEW_TOKENS,
        strategy="official",
        cut=cut_rule(script, one),
        limit_includes_generation=True,
        note=" ".join((*notes, LIMIT)),
    )


def _ask(script: Script, one: Set) -> Callable[[Sample], Parts]:
    """The parts of a question; sci_fi's question by facts follows the first one (turbo) or stands alone."""
    path = prediction_path(one.name, one.run_metric)

    def ask(sample: Sample) -> Parts:
        if sample.attributes.get("asked") != FACT:
            return parts(script, one, sample)
        second = build_prompt(script, path, one.run_metric, "", sample.question, sample.references[0]).second or ""
        if script == DEFAULT:
            return (*parts(script, one, sample), Part(Role.QUESTION, f"\n\n{second}"))
        return (Part(Role.QUESTION, second),)

    return ask
