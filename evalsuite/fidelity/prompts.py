"""Golden prompt cases: the official prompt of ZeroSCROLLS or L-Eval built again, and compared by hash.

The value of a case is ``{prompt_sha256, token_ids_sha256, prompt_tokens}``: SHA-256 of the UTF-8 text, and of the
decimal ids joined by ``,``; None where the case has no text (``hf``) or no ids (``turbo16k-test``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from evalsuite.errors import UsageError
from evalsuite.fidelity.prompt_inputs import PromptContext
from evalsuite.plugins import module

Value: TypeAlias = dict[str, str | int | None]


def compute_prompt(case: Mapping[str, Any], context: PromptContext) -> Value:
    """The value of one prompt case, without a look at what is expected.

    Args:
        case: a line of a ZeroSCROLLS (``rule``) or L-Eval (``script``) prompt file.
        context: where its tokenizer and its row come from.

    Raises:
        UsageError: the case names a row, tokenizer or set that is not there.
    """
    try:
        return _zeroscrolls(case, context) if "rule" in case else _leval(case, context)
    except KeyError as error:
        raise UsageError(f"prompt case {case.get('id')}: {error} is missing or unknown") from error


def prompt_agrees(expected: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether a computed value equals the expected prompt, given in full or as hashes; there is no tolerance."""
    return all(value.get(name) == wanted for name, wanted in expected_value(expected).items())


def expected_value(expected: Mapping[str, Any]) -> Value:
    """What a golden case expects, in the shape of a computed value."""
    text, ids = expected.get("prompt"), expected.get("token_ids")
    return {
        "prompt_sha256": expected.get("prompt_sha256") if text is None else _text_hash(text),
        "token_ids_sha256": expected.get("token_ids_sha256") if ids is None else _ids_hash(ids),
        "prompt_tokens": expected.get("prompt_tokens"),
    }


def _zeroscrolls(case: Mapping[str, Any], context: PromptContext) -> Value:
    sets, request, cut = (module("zeroscrolls", name) for name in ("sets", "request", "cut"))
    prompt = cut.cut(
        case["rule"],
        request.read_row(context.record(case["record"])),
        context.tokenizer(case["tokenizer"]),
        limit=case["limit"],
        max_new_tokens=case["max_new_tokens"] or 0,
        summary=sets.BY_CONFIG[case["config"]].is_summary,
    )
    return _value(prompt.text, prompt.ids)


def _leval(case: Mapping[str, Any], context: PromptContext) -> Value:
    prompts, cut = module("leval", "prompts"), module("leval", "cut")
    script, metric, which = case["script"], case["metric"], case["instruction"]
    row = context.record(case["record"]) if case.get("record") else context.published(case["task"], case["row"])
    tokenizer = context.tokenizer(case["tokenizer"])
    path = prompts.prediction_path(case["task"], metric)
    document = cut.cut_document(
        row["input"],
        cut.document_limit(case["max_length"]),
        tokenizer,
        keep_end=prompts.keeps_end(path),
        special_tokens=prompts.counts_specials(script),
    )
    question, reference = row["instructions"][which], row["outputs"][which]
    prompt = prompts.build_prompt(script, path, metric, document.text, question, reference)
    return _value(prompt.text, prompts.prompt_ids(script, prompt.text, tokenizer))


def _value(text: str | None, ids: Sequence[int] | None) -> Value:
    return {
        "prompt_sha256": None if text is None else _text_hash(text),
        "token_ids_sha256": None if ids is None else _ids_hash(ids),
        "prompt_tokens": None if ids is None else len(ids),
    }


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _ids_hash(ids: Sequence[int]) -> str:
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()
