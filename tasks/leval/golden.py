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
        "the official cut leaves more than its own limit",
        "the prompt is sent",
        "a run refuses the sample by name before anything is generated",
    ),
    Deviation(
        "prompts.leval",
        "a cap that is no whole thousand of tokens",
        "the argument `--max_length` is such as `16k`",
        "rounded down: 16384 is 16k, a document has at most 15488 tokens",
    ),
    Deviation(
        "prompts.leval",
        "turbo16k-test on a model of one's own",
        "system prompt and messages go to a server",
        "their texts stand one after the other behind one BOS",
    ),
    Deviation(
        "prompts.leval",
        "a model whose name holds `code`, `gsm` or `topic`",
        "the prompt of that set is used for every set",
        "only the set's name counts",
    ),
    Deviation(
        "leval.exam",
        "sci_fi, asked by the story and by facts",
        "both answers are one line `{loyalty} [fact: {fact}]`",
        "two samples a question; their mean is the official score",
    ),
)
"""Where a run does other than the official scripts; the golden cases are reproduced as they are."""
