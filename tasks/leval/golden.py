"""L-Eval's official prompts and cuts built again from recorded cases (those with a ``script``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalsuite.benchmark import Deviation, GoldenInputs, GoldenPrompts, OfficialPrompt

from .cut import cut_document, document_limit
from .prompts import build_prompt, counts_specials, keeps_end, prediction_path, prompt_ids


def build(case: Mapping[str, Any], inputs: GoldenInputs) -> OfficialPrompt:
    """Return the prompt that the case's script sends."""
    script, metric, which = case["script"], case["metric"], case["instruction"]
    row = _row(case, inputs)
    tokenizer = inputs.tokenizer(case["tokenizer"])
    path = prediction_path(case["task"], metric)
    document = cut_document(
        row["input"],
        document_limit(case["max_length"]),
        tokenizer,
        keep_end=keeps_end(path),
        special_tokens=counts_specials(script),
    )
    question, reference = row["instructions"][which], row["outputs"][which]
    prompt = build_prompt(script, path, metric, document.text, question, reference)
    return OfficialPrompt(prompt.text, prompt_ids(script, prompt.text, tokenizer))


def _row(case: Mapping[str, Any], inputs: GoldenInputs) -> Mapping[str, Any]:
    if case.get("record"):
        return inputs.record(case["record"])
    return inputs.published("leval", case["task"], case["row"])


PROMPTS = GoldenPrompts(metric="prompts.leval", field="script", build=build)

DEVIATIONS = (
    Deviation(
        "prompts.leval",
        "after the official cut, the prompt still exceeds the limit",
        "the prompt is sent",
        "the sample is not asked; its request fails and says why",
    ),
    Deviation(
        "prompts.leval",
        "a cap that is not a multiple of 1,000 tokens",
        "the argument `--max_length` has the form `16k`",
        "the cap is rounded down: 16384 counts as 16k, and a document has at most 15488 tokens",
    ),
    Deviation(
        "prompts.leval",
        "turbo16k-test with a local model",
        "the system prompt and the message are sent to a server",
        "their texts are joined after one BOS",
    ),
    Deviation(
        "prompts.leval",
        "a model whose name contains `code`, `gsm` or `topic`",
        "the prompt of that set is used for every set",
        "the name of the set chooses the prompt",
    ),
    Deviation(
        "leval.exam",
        "sci_fi: each question is asked twice, about the story and about facts",
        "one line has both answers: `{loyalty} [fact: {fact}]`",
        "each question is two samples; their mean is the official score",
    ),
)
"""Where a run does other than the official scripts; the golden cases are reproduced as they are."""
