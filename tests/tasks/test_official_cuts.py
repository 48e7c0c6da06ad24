"""The official rules as a run uses them: exact ids, and a true account of what was lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.fidelity.prompt_inputs import PromptContext
from evalsuite.interfaces import OfficialCut, OfficialCutInput, Tokenizer
from evalsuite.plugins import module
from evalsuite.types import Document, Role, Sample

ZERO, REQUEST, CUT, ZERO_SETS = (module("zeroscrolls", name) for name in ("official", "request", "cut", "sets"))
LEVAL, LEVAL_SETS, LEVAL_PROMPTS = (module("leval", name) for name in ("official", "sets", "prompts"))


LONG = " ".join(f"Item {number} is near item {number + 1}." for number in range(3000))


def sample_of(row: Any) -> Sample:
    document = Document("d", row.input[row.document_start : row.document_end])
    return Sample("s", document, "q", (), attributes=ZERO.attributes_of(row))


def golden_rows(golden: Path) -> list[tuple[Any, bool]]:
    """The generated rows whose indices stand in order, and whether their set is a summary set."""
    with gzip.open(golden / "prompts_records.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    zero = [record for record in records if record["benchmark"] == "zero_scrolls"]
    return [(REQUEST.read_row(one["row"]), ZERO_SETS.BY_CONFIG[one["config"]].is_summary) for one in zero]


def apply(rule: str, row: Any, tokenizer: Tokenizer, limit: int, *, summary: bool) -> OfficialCut:
    sample = sample_of(row)
    given = OfficialCutInput(sample, ZERO.base_parts(sample), limit, 32, tokenizer)
    made: OfficialCut = ZERO.cut_rule(rule, summary=summary)(given)
    return made


def test_a_sample_gives_its_row_back(golden: Path) -> None:
    rows = golden_rows(golden)
    assert len(rows) == 54
    for row, summary in rows:
        sample = sample_of(row)
        assert ZERO.row_of(sample) == row
        assert "".join(part.text for part in ZERO.base_parts(sample)) == row.input
        chat = "".join(part.text for part in ZERO.chat_parts(sample, summary=summary))
        official = REQUEST.chat_row(row, summary=summary)
        if "\n\n" in row.input[: row.document_start] and row.input[:1].strip():
            assert chat == official.input


@pytest.mark.parametrize("name", ["bytelevel", "llamalike", "wordpiece"])
@pytest.mark.parametrize("rule", ["hf", "api", "api_chat", "api_claude"])
def test_what_a_run_records_adds_up_to_the_document(rule: str, name: str, golden: Path) -> None:
    tokenizer = PromptContext(golden).tokenizer(name)
    for row, summary in golden_rows(golden)[5:50:9]:
        made = apply(rule, row, tokenizer, 500, summary=summary)
        lost = {removal.role: removal for removal in made.removed}
        characters = lost[Role.DOCUMENT].characters if lost else 0
        (kept,) = made.kept
        assert characters + kept.end - kept.start == row.document_end - row.document_start
        room = 500 if rule == "hf" else 500 - 32
        assert made.over_limit == (len(made.ids) > room)
        # Claude's rule keeps nine characters too many, which can be nine tokens.
        assert len(made.ids) <= room + (9 if rule == "api_claude" else 0)
        if lost and (rule, name) == ("api", "bytelevel"):
            front = row.input[: row.document_start + kept.end]
            assert tokenizer.decode(made.ids).startswith(front + row.separator)
        if rule != "hf" and tokenizer.bos_id is not None:
            assert made.ids[0] == tokenizer.bos_id
        if lost and rule == "hf":
            assert len(made.ids) == room
            assert lost[Role.DOCUMENT].tokens == pytest.approx(made.tokens_before - room, abs=60)


def test_a_run_never_breaks_a_character_and_says_so(golden: Path) -> None:
    tokenizer = PromptContext(golden).tokenizer("bytelevel")
    document = "🙂" * 400
    row = REQUEST.Row(f"Do.\n\n{document}\n\nQ?", 5, 405, 407, 409, "...")
    notes = {apply("api", row, tokenizer, limit, summary=True).note for limit in range(200, 208)}
    assert notes == {"", ZERO.WHOLE_CHARACTER_NOTE}
    for limit in range(200, 208):
        assert "\ufffd" not in tokenizer.decode(apply("api", row, tokenizer, limit, summary=True).ids)


def test_leval_parts_join_to_the_official_prompt_and_the_cut_is_recorded(golden: Path) -> None:
    tokenizer = PromptContext(golden).tokenizer("llamalike")
    sample = Sample("s", Document("d", LONG), "Sum up.", ("a b c",))
    for script in LEVAL_PROMPTS.SCRIPTS:
        for one in LEVAL_SETS.SETS:
            joined = "".join(part.text for part in LEVAL.parts(script, one, sample) if part.role is not Role.SYSTEM)
            path = LEVAL_PROMPTS.prediction_path(one.name, one.run_metric)
            text = sample.document.text
            official = LEVAL_PROMPTS.build_prompt(script, path, one.run_metric, text, "Sum up.", "a b c")
            assert joined == official.text
    one = LEVAL_SETS.BY_NAME["news_summ"]
    given = OfficialCutInput(sample, (), 16384, 512, tokenizer)
    made = LEVAL.cut_rule("llama2-chat-test", one)(given)
    assert (made.side, made.over_limit) == ("right", False)
    assert made.removed[0].characters == len(LONG) - made.kept[0].end
    assert len(made.ids) + made.removed[0].tokens == made.tokens_before
    cut = module("leval", "cut").cut_document(
        sample.document.text, 16000 - 512, tokenizer, keep_end=False, special_tokens=True
    )
    assert made.kept == (cut.kept,), "16,384 is 16k: 15,488 tokens for the document"


def test_leval_flags_a_prompt_that_its_question_makes_too_long(golden: Path) -> None:
    tokenizer = PromptContext(golden).tokenizer("llamalike")
    sample = Sample("s", Document("d", "short"), "long question " * 2000, ("a",))
    given = OfficialCutInput(sample, (), 4096, 512, tokenizer)
    assert LEVAL.cut_rule("longchat-test", LEVAL_SETS.BY_NAME["paper_assistant"])(given).over_limit
