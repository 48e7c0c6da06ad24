"""The official prompts of L-Eval: equal to the golden cases, and every quirk shown on a small text."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.fidelity.prompt_inputs import PromptContext
from evalsuite.plugins import module

CUT, PROMPTS, SETS = (module("leval", name) for name in ("cut", "prompts", "sets"))

EVERY = 14
"""The default tests take all cases of every fourteenth row; `evalsuite fidelity check` takes all."""


class Characters:
    """A tokenizer of code points, framed by -1 in front."""

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        return [*([-1] if special_tokens else []), *map(ord, text)]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at in range(len(text))]


def cut(document: str, limit: int, *, keep_end: bool = False, special_tokens: bool = False) -> Any:
    return CUT.cut_document(document, limit, Characters(), keep_end=keep_end, special_tokens=special_tokens)


def build(script: str, task: str, document: str = "doc", question: str = "why?", reference: str = "a b") -> Any:
    metric = next(one.run_metric for one in SETS.SETS if one.name == task)
    path = PROMPTS.prediction_path(task, metric)
    return PROMPTS.build_prompt(script, path, metric, document, question, reference)


def observed(document: Any, prompt: Any, ids: tuple[int, ...] | None) -> dict[str, Any]:
    """A prompt in the words of the golden file."""
    return {
        "document_tokens": document.tokens_before,
        "document_words": document.words_before,
        "cuts": document.rounds,
        "words_kept": document.words_kept,
        "tokens_kept": document.tokens_kept,
        "document_chars_kept": len(document.text),
        "document_sha256": hashlib.sha256(document.text.encode()).hexdigest(),
        "system": prompt.system,
        "second_prompt": prompt.second,
        "prompt": prompt.text,
        "prompt_chars": len(prompt.text),
        "prompt_head": prompt.text[:300],
        "prompt_tail": prompt.text[-300:],
        "prompt_tokens": len(ids or ()),
        "token_ids": list(ids or ()),
        "token_ids_first": list((ids or ())[:20]),
        "token_ids_last": list((ids or ())[-20:]),
    }


def test_golden_prompts_and_their_counts_are_reproduced(golden: Path, real_data: Path) -> None:
    context = PromptContext(golden, data=real_data)
    with gzip.open(golden / "prompts_leval.jsonl.gz", "rt", encoding="utf-8") as file:
        everything = [json.loads(line) for line in file]
    rows = list(dict.fromkeys(map(row_of, everything)))[::EVERY]
    cases = [case for case in everything if row_of(case) in rows]
    wrong = []
    for case in cases:
        found = observed(*golden_prompt(case, context))
        wanted = {name: value for name, value in case["expected"].items() if name not in SEEN_BY_FIDELITY}
        wrong += [(case["id"], name) for name, value in wanted.items() if found[name] != value]
    assert len(cases) > 150
    assert wrong == []


SEEN_BY_FIDELITY = ("prompt_sha256", "token_ids_sha256")


def row_of(case: dict[str, Any]) -> tuple[str, int | None, str | None]:
    """Which row a golden case asks about."""
    return case["task"], case["row"], case["record"]


def golden_prompt(case: dict[str, Any], context: PromptContext) -> tuple[Any, Any, tuple[int, ...] | None]:
    """The cut document, the prompt and its ids for one golden case; what was kept must stand where it says."""
    tokenizer, script = context.tokenizer(case["tokenizer"]), case["script"]
    row = context.record(case["record"]) if case["record"] else context.published("leval", case["task"], case["row"])
    path, limit = PROMPTS.prediction_path(case["task"], case["metric"]), CUT.document_limit(case["max_length"])
    assert limit == case["limit"]
    keep_end, specials = PROMPTS.keeps_end(path), PROMPTS.counts_specials(script)
    document = CUT.cut_document(row["input"], limit, tokenizer, keep_end=keep_end, special_tokens=specials)
    assert row["input"][document.kept.start : document.kept.end] == document.text
    question, reference = (row[name][case["instruction"]] for name in ("instructions", "outputs"))
    prompt = PROMPTS.build_prompt(script, path, case["metric"], document.text, question, reference)
    return document, prompt, PROMPTS.prompt_ids(script, prompt.text, tokenizer)


def test_the_limit_is_cut_not_rounded() -> None:
    assert [CUT.document_limit(size) for size in ("4k", "16k", "32.3k")] == [3488, 15488, 31787]
    with pytest.raises(UsageError, match="'long'"):
        CUT.document_limit("long")


def test_a_document_within_the_limit_stays_as_it_is() -> None:
    whole = cut("a  b\nc", 6)
    assert (whole.text, whole.rounds, whole.side) == ("a  b\nc", 0, None)
    assert cut("a  b\nc", 6, special_tokens=True).rounds > 0


def test_the_cut_keeps_white_space_and_drops_words_from_the_end() -> None:
    document = "x\ty  " * 1000
    short = cut(document, 2000)
    assert document.startswith(short.text)
    assert short.side == "right"
    assert len(short.text) <= 2000


def test_code_is_cut_from_the_front() -> None:
    document = " ".join(f"w{number}" for number in range(1000))
    short = cut(document, 3000, keep_end=True)
    assert document.endswith(short.text)
    assert short.side == "left"
    assert document[short.kept.start : short.kept.end] == short.text


@pytest.mark.parametrize("keep_end", [False, True])
def test_a_document_without_spaces_ends_empty(keep_end: bool) -> None:  # noqa: FBT001 parametrised
    nothing = cut("x" * 4000, 1000, keep_end=keep_end)
    assert (nothing.text, nothing.words_kept, nothing.words_before) == ("", 0, 1)


def test_every_round_keeps_250_words_fewer() -> None:
    short = cut("x " * 2000, 1000)
    assert (short.rounds, short.words_kept, short.tokens_kept) == (3, 500, 999)


def test_steps_beyond_the_limit_drop_words_from_the_end_instead() -> None:
    # Rounds keep 240 words (249 characters), then all but the last 10.
    short = cut(" " * 238 + "0123456789" + " " * 100, 240)
    assert (short.rounds, short.words_kept, short.text) == (2, 230, " " * 229)


@pytest.mark.parametrize("keep_end", [False, True])
def test_rounds_that_need_no_count_end_where_counting_every_round_does(keep_end: bool) -> None:  # noqa: FBT001 parametrised
    class Whole(Characters):
        """Offsets that say nothing, so that every round is counted."""

        def offsets(self, text: str) -> list[tuple[int, int]]:
            return super().offsets(text[:0])

    document = " ".join("w" * (number % 7) for number in range(4000))
    for limit in (5, 100, 999, 3000, 10_000):
        every = CUT.cut_document(document, limit, Whole(), keep_end=keep_end, special_tokens=False)
        assert cut(document, limit, keep_end=keep_end) == every


def test_a_limit_below_an_empty_document_is_refused_instead_of_looping_for_ever() -> None:
    with pytest.raises(UsageError, match="may have -12 tokens"):
        cut("some words", -12)


LLAMA_EXAM_END = "Please directly give the answer without any additional output or explanation [/INST]\nAnswer:"


@pytest.mark.parametrize(
    ("task", "ending"),
    [
        ("gsm100", "\n\nwhy?"),
        ("topic_retrieval_longchat", "\n\nwhy?[/INST]"),
        ("quality", "Question: why?.  " + LLAMA_EXAM_END),
        ("meeting_summ", "Instruction: why? \nAnswer this question with 2 words.[/INST]"),
    ],
)
def test_the_llama_prompt_ends_as_its_task_says(task: str, ending: str) -> None:
    assert build("llama2-chat-test", task).text.endswith(ending)


def test_braces_of_code_are_read_as_fields_by_the_hugging_face_scripts_only() -> None:
    code = "d = {{}} {inst}"
    assert "d = {} why?" in build("llama2-chat-test", "codeU", code).text
    assert "d = {} why?" in build("longchat-test", "codeU", code).text
    assert code in build("turbo16k-test", "codeU", code).text
    assert code in build("longchat-test", "quality", code).text


@pytest.mark.parametrize("broken", ["{'a': 1} {{}}", "{} {{}}", "{ {{}}", "{inst.x} {{}}", "{inst[9]} {{}}"])
def test_one_unknown_field_leaves_all_braces_as_they_are(broken: str) -> None:
    assert broken in build("llama2-chat-test", "codeU", broken).text


def test_the_gold_length_counts_words_at_any_white_space() -> None:
    text = build("turbo16k-test", "news_summ", reference="One two\u00a0three\n").text
    assert "around 3 words. Output: " in text
    assert "around 0 words" in build("longchat-test", "news_summ", reference="").text


def test_sci_fi_asks_twice_and_its_system_prompt_is_glued_to_the_document() -> None:
    question = "True or False based on the world described in the document."
    prompt = build("longchat-test", "sci_fi", question=question)
    assert prompt.second == (
        "True or False based on the real-world knowledge and facts up until your last training\nAnswer:"
    )
    assert "knowledge.Document is as follows. doc" in prompt.text
    assert build("longchat-test", "quality").second is None


def test_judge_metrics_ask_every_task_in_the_open_way() -> None:
    path = PROMPTS.prediction_path("codeU", "llm_gpt4_eval")
    assert not PROMPTS.keeps_end(path)
    assert PROMPTS.system_prompt(path, "llm_gpt4_eval") == PROMPTS.SYSTEM_OPEN


def test_turbo_gets_messages_not_ids() -> None:
    assert PROMPTS.prompt_ids("turbo16k-test", "text", Characters()) is None
    assert PROMPTS.prompt_ids("longchat-test", "ab", Characters()) == (-1, 97, 98)


def test_the_table_holds_the_twenty_sets_once_with_their_files(real_data: Path) -> None:
    assert len(SETS.BY_NAME) == len(SETS.SETS) == 20
    files = {path.name.split(".")[0]: path.parent.name for path in (real_data / "leval").rglob("*.jsonl*")}
    assert {name: SETS.BY_NAME[name].folder for name in files} == files
