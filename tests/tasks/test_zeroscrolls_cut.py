"""The official prompts of ZeroSCROLLS: equal to the golden cases, and every quirk shown on a small text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.fidelity.prompt_inputs import PromptContext
from evalsuite.plugins import module

SETS, REQUEST, CUT = (module("zeroscrolls", name) for name in ("sets", "request", "cut"))

EVERY = 10
"""The default tests take every tenth case; `evalsuite fidelity check` takes all."""


class Bytes:
    """A tokenizer of UTF-8 bytes, framed by 256 and 257: a cut can fall inside a character."""

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        ids = list(text.encode())
        return [256, *ids, 257] if special_tokens else ids

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode(errors="replace")

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at, letter in enumerate(text) for _ in letter.encode()]


def row(
    document: str = "d" * 100, query: str = "Question:\nwhy?", instruction: str = "Answer.", separator: str = "..."
) -> Any:
    """A row of the official layout."""
    start = len(instruction) + 2
    end = start + len(document)
    text = f"{instruction}\n\n{document}\n\n{query}\n\nAnswer:"
    return REQUEST.Row(text, start, end, end + 2, end + 2 + len(query), separator)


def cut(rule: str, one: Any, limit: int, max_new_tokens: int = 10, *, summary: bool = False, **options: bool) -> Any:
    return CUT.cut(rule, one, Bytes(), limit=limit, max_new_tokens=max_new_tokens, summary=summary, **options)


def observed(prompt: Any) -> dict[str, Any]:
    """A prompt in the words of the golden file."""
    return {
        "truncated": prompt.truncated,
        "input_tokens": prompt.input_tokens,
        "suffix_tokens": prompt.suffix_tokens,
        "prefix_tokens": prompt.prefix_tokens,
        "kept_tokens": prompt.kept_tokens,
        "cut_tokens": prompt.cut_tokens,
        "kept_chars": prompt.kept_end,
        "indices_after": dict(zip(REQUEST.INDEX_FIELDS, prompt.row.indices, strict=True)),
        "partial_character": prompt.partial_character,
        "prompt_tokens": len(prompt.ids),
        "token_ids": list(prompt.ids),
        "token_ids_first": list(prompt.ids[:20]),
        "token_ids_last": list(prompt.ids[-20:]),
        "prompt": prompt.text,
        "prompt_head": (prompt.text or "")[:300],
        "prompt_tail": (prompt.text or "")[-300:],
        "prompt_chars": len(prompt.text or ""),
    }


def test_golden_prompts_and_their_counts_are_reproduced(golden: Path) -> None:
    context = PromptContext(golden)
    with gzip.open(golden / "prompts_zeroscrolls.jsonl.gz", "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file][::EVERY]
    wrong = []
    for case in cases:
        prompt = CUT.cut(
            case["rule"],
            REQUEST.read_row(context.record(case["record"])),
            context.tokenizer(case["tokenizer"]),
            limit=case["limit"],
            max_new_tokens=case["max_new_tokens"] or 0,
            summary=SETS.BY_CONFIG[case["config"]].is_summary,
        )
        found = observed(prompt)
        wanted = {name: value for name, value in case["expected"].items() if not name.endswith("sha256")}
        wrong += [(case["id"], name) for name, value in wanted.items() if found[name] != value]
    assert len(cases) > 200
    assert wrong == []


def test_the_request_moves_all_four_indices_by_its_length_and_a_space() -> None:
    one = row()
    changed = REQUEST.insert_request(one, REQUEST.CHAT_REQUEST)
    assert changed.input.startswith("Answer. Do not provide any explanation.\n\nddd")
    assert [after - before for before, after in zip(one.indices, changed.indices, strict=True)] == [32] * 4
    assert one == row(), "the row given stays as it was, so a second prompt has no second request"


def test_spaces_stripped_from_the_instruction_are_not_counted() -> None:
    changed = REQUEST.insert_request(row(instruction="  Answer.  "), REQUEST.CHAT_REQUEST)
    assert changed.input[changed.query_start :].startswith("tion:")


def test_without_a_blank_line_the_request_stands_before_the_last_character() -> None:
    one = replace(row(), input="no blank line")
    assert REQUEST.insert_request(one, "R").input == "no blank lin Re"


def test_chat_drops_the_response_header_of_summary_sets_too_but_asks_nothing() -> None:
    prompt = cut("api_chat", row(), 10_000, summary=True)
    assert prompt.text == row().input.removesuffix("\n\nAnswer:")


def test_claude_is_told_the_answers_type_and_tag() -> None:
    one = row()
    one = replace(one, input=one.input.replace("Answer:", "Final Answer:"))
    text = cut("api_claude", one, 10_000).text
    assert "highlight your final final answer with <final_answer></final_answer> tags." in text
    assert text.startswith("\n\nHuman: Answer. Do not")
    assert text.endswith("why?\n\nAssistant: Final Answer: <final_answer>")


def test_the_chat_frame_counts_only_once_the_text_is_cut() -> None:
    size = len(cut("api_chat", row(), 10_000, summary=True).ids)
    assert not cut("api_chat", row(), size + 10, summary=True).truncated
    assert len(cut("api_chat", row(), size + 9, summary=True).ids) == size - 1 - 1 - 9


def test_hf_frames_both_parts_with_special_tokens_and_fills_the_limit() -> None:
    prompt = cut("hf", row(), 80)
    assert prompt.text is None
    assert len(prompt.ids) == 80
    assert prompt.ids.count(256) == 2
    assert prompt.ids.count(257) == 1
    assert not prompt.over_limit


@pytest.mark.parametrize("rule", ["hf", "api", "api_chat", "api_claude"])
def test_a_suffix_that_does_not_fit_gives_a_prompt_over_the_limit_and_it_is_flagged(rule: str) -> None:
    prompt = cut(rule, row(document="d" * 300), 20)
    assert prompt.truncated
    assert prompt.over_limit
    assert len(prompt.ids) > 200


def test_claude_keeps_as_many_characters_too_many_as_its_frame_has() -> None:
    prompt = cut("api_claude", row(document="d" * 500), 400)
    assert prompt.kept_end == prompt.kept_tokens
    body = prompt.text.removeprefix("\n\nHuman: ")
    assert body[: prompt.kept_end] == prompt.row.input[: prompt.kept_end]


def test_claude_without_a_place_to_cut_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="frame and query take"):
        cut("api_claude", row(document="", query="q", separator="." * 500), 50)


def test_a_cut_inside_a_character_leaves_its_mark_unless_whole_characters_are_asked_for() -> None:
    one = row(document="🙂" * 50)
    prompts = [cut("api", one, limit) for limit in range(120, 124)]
    assert [prompt.partial_character for prompt in prompts].count(True) == 3
    mended = [cut("api", one, limit, whole_characters=True) for limit in range(120, 124)]
    assert not any(prompt.partial_character or "\ufffd" in prompt.text for prompt in mended)
    lost = [whole.kept_tokens - half.kept_tokens for whole, half in zip(mended, prompts, strict=True)]
    assert sorted(lost) == [-3, -2, -1, 0]


@pytest.mark.parametrize(
    ("field", "value"),
    [("query_start_index", -1), ("document_end_index", 10_000), ("query_end_index", None), ("input", None)],
)
def test_a_faulty_row_is_refused_by_name(field: str, value: object) -> None:
    one = row()
    record = dict(zip(REQUEST.INDEX_FIELDS, one.indices, strict=True))
    record |= {"id": "s7", "input": one.input, "truncation_seperator": one.separator}
    assert REQUEST.read_row(record) == one
    with pytest.raises(UsageError, match=f"row s7: `{field}`"):
        REQUEST.read_row(record | {field: value})


def test_the_table_holds_the_ten_sets_once() -> None:
    assert len(SETS.BY_CONFIG) == len(SETS.SETS) == 10
    assert [one.config for one in SETS.SETS if one.is_summary] == ["gov_report", "summ_screen_fd", "qmsum", "squality"]
