"""ZeroSCROLLS' official prompts and cuts built again from recorded cases (those with a ``rule``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalsuite.benchmark import Deviation, GoldenInputs, GoldenPrompts, OfficialPrompt

from .cut import cut
from .request import read_row
from .sets import BY_CONFIG


def build(case: Mapping[str, Any], inputs: GoldenInputs) -> OfficialPrompt:
    """Return the prompt that the runner named by the case's rule sends."""
    prompt = cut(
        case["rule"],
        read_row(inputs.record(case["record"])),
        inputs.tokenizer(case["tokenizer"]),
        limit=case["limit"],
        max_new_tokens=case["max_new_tokens"] or 0,
        summary=BY_CONFIG[case["config"]].is_summary,
    )
    return OfficialPrompt(prompt.text, prompt.ids)


PROMPTS = GoldenPrompts(metric="prompts.zero_scrolls", field="rule", build=build)

DEVIATIONS = (
    Deviation(
        "prompts.zero_scrolls",
        "after the official cut, the prompt still exceeds the limit",
        "the prompt is sent",
        "the sample is not asked; its request fails and says why",
    ),
    Deviation(
        "prompts.zero_scrolls",
        "the official cut splits a character (`partial_character`)",
        "U+FFFD in the prompt; with byte fallback, thousands of them",
        "the cut is before this character; a note in the request says so",
    ),
    Deviation(
        "prompts.zero_scrolls",
        "the model has a BOS token",
        "hosted models have none",
        "BOS is put first and counts as one token of the limit",
    ),
)
"""Where a run does other than the official scripts; the golden cases are reproduced as they are."""
