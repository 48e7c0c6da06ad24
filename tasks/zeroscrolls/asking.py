"""How ZeroSCROLLS asks: a protocol for each of its runners, with the runner's own cut."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from evalsuite.task import PromptProtocol
from evalsuite.types import Part, Parts, Role, Sample

from .cut import ASSISTANT, HUMAN, Rule
from .layout import LAYOUTS
from .official import base_parts, chat_parts, cut_rule
from .request import CLAUDE_REQUEST, claude_tag
from .scoring import scorer_of
from .sets import ALTERNATIVE_MAX_NEW_TOKENS, Set

COMMIT = "tau-nlp/zero_scrolls@c994676"
API, HF = "experiments/api/{}.py", "experiments/hf/run_hf_model.py"

ENCODED_ONCE = "Under `official` the text is encoded once, behind the model's BOS; the cap covers prompt and answer."
NOTES = {
    "api": f"For base models, the answer room of each set. {ENCODED_ONCE}",
    "api-chat": f"Asks for brevity (not in summaries), no response header. {ENCODED_ONCE}",
    "api-claude": f"Names answer type and tag; an answer ends at its closing tag. {ENCODED_ONCE}",
    "hf": "Up to 1,024 new tokens for every set. Under `official` document and query are encoded apart, so a BOS "
    "stands before each; the cap is of the prompt alone.",
}


def protocols(one: Set) -> tuple[PromptProtocol, ...]:
    """Return a set's protocols, the default first.

    That is `api`, the ready-made prompt with the answer room of the set. `--max-new-tokens 1024` gives it the room
    that `hf` has for every set.
    """
    chat, claude = (partial(ask, summary=one.is_summary) for ask in (chat_parts, claude_parts))
    return (
        _protocol(one, "api", API.format("openai_api"), base_parts),
        _protocol(one, "api-chat", API.format("openai_api"), chat),
        _protocol(one, "api-claude", API.format("anthropic_api"), claude),
        _protocol(one, "hf", HF, base_parts),
    )


def claude_parts(sample: Sample, *, summary: bool) -> Parts:
    """Return the prompt of a Claude completion model: turns marked, the answer begun inside its tag."""
    instruction, document, question, response = base_parts(sample)
    answer = response.text.strip().replace(":", "")
    tag = claude_tag(answer)
    text = instruction.text
    if not summary:
        head, blank, rest = text.partition("\n\n")
        text = f"{head.strip()} {CLAUDE_REQUEST.format(answer=answer.lower(), tag=tag)}{blank}{rest}"
    end = ASSISTANT if summary else f"{ASSISTANT} {answer}: <{tag}>"
    return (Part(Role.INSTRUCTION, f"{HUMAN} {text}"), document, question, Part(Role.RESPONSE, end))


def _protocol(one: Set, name: str, script: str, ask: Callable[[Sample], Parts]) -> PromptProtocol:
    rule: Rule = name.replace("-", "_")  # type: ignore[assignment]  # the runners' names, written as ours
    closes = name == "api-claude" and not one.is_summary
    return PromptProtocol(
        name=name,
        follows=f"{COMMIT}, {script}",
        prompt=ask,
        score=scorer_of(one),
        max_new_tokens=ALTERNATIVE_MAX_NEW_TOKENS if name == "hf" else one.max_new_tokens,
        stop=(f"</{claude_tag(LAYOUTS[one.config].response)}>",) if closes else (),
        strategy="official",
        cut=cut_rule(rule, summary=one.is_summary),
        limit_includes_generation=name != "hf",
        note=NOTES[name],
    )
