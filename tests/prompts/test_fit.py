"""Fitting: the budget holds, what must survive survives word for word, and the record says what was lost."""

from __future__ import annotations

from typing import Literal

import pytest
from fitting import CUTTING, check, fitted, is_lossy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import QUESTION, RESPONSE, parts, sample

from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.errors import UsageError
from evalsuite.interfaces import Encoding, Tokenizer
from evalsuite.prompts.chat import Frame, plain_frame
from evalsuite.prompts.fit import Budget, check_frame, evidence_fate, fit, over_length_error, prompt_budget
from evalsuite.prompts.strategies import before_the_question, the_document
from evalsuite.types import Part, Role, Span

DOCUMENT = " ".join(f"Sentence {i} of the story about the king." for i in range(60))
DEMONSTRATION = "A short tale. Q: Who wrote it?, A: She did\n\n"
ASKED = sample(DOCUMENT)
INSTRUCTION = "Answer the question.\n\n"
HOSTILE = ("<s>", "</s>", "<unk>", "<|endoftext|>", "[CLS]", "[SEP]", "<|user|>", "<pad>")
PIECES = (
    "word",
    " ",
    "  ",
    "\n",
    "é",
    "e\u0301",
    "中文",
    "🙂",
    "👩‍👩‍👧‍👦",
    "ﬁ",
    "İ",
    "\u200b",
    "\u00a0",
    "don't",
    "1234",
    *HOSTILE,
)

texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _length(tokenizer: Tokenizer, text: str) -> int:
    return len(plain_frame(tokenizer).head) + len(tokenizer.encode_literal(text).ids)


@pytest.mark.parametrize("strategy", CUTTING)
@few
@given(document=texts, share=st.floats(0, 1.1))
def test_whatever_the_text_and_budget_the_question_stands_and_the_budget_holds(
    tokenizer: Tokenizer, strategy: str, document: str, share: float
) -> None:
    whole = parts(document, demonstration=DEMONSTRATION, instruction=INSTRUCTION)
    protected = QUESTION + RESPONSE if strategy == "left" else INSTRUCTION + DEMONSTRATION + QUESTION + RESPONSE
    least, most = _length(tokenizer, protected), _length(tokenizer, "".join(part.text for part in whole))
    fitted(whole, least + max(0, int(share * (most - least))), strategy, tokenizer, sample(document))


@pytest.mark.parametrize("strategy", CUTTING)
def test_a_cut_takes_no_more_than_it_must(tokenizer: Tokenizer, strategy: str) -> None:
    whole = parts(DOCUMENT, demonstration=DEMONSTRATION, instruction=INSTRUCTION)
    total = _length(tokenizer, "".join(part.text for part in whole))
    for excess in (1, 2, 7, 100):
        found = fitted(whole, total - excess, strategy, tokenizer, sample(DOCUMENT))
        assert found.cut.is_cut
        assert found.cut.budget - found.cut.tokens_kept <= 3


def test_a_prompt_of_exactly_the_budget_is_not_cut(tokenizer: Tokenizer) -> None:
    whole = parts(DOCUMENT)
    total = _length(tokenizer, "".join(part.text for part in whole))
    assert not fitted(whole, total, "left", tokenizer, sample(DOCUMENT)).cut.is_cut
    assert fitted(whole, total - 1, "left", tokenizer, sample(DOCUMENT)).cut.is_cut


def test_left_takes_instruction_and_demonstrations_before_the_documents_head(tokenizer: Tokenizer) -> None:
    whole = parts(DOCUMENT, demonstration=DEMONSTRATION * 3, instruction=INSTRUCTION)
    total = _length(tokenizer, "".join(part.text for part in whole))
    some = total - _length(tokenizer, DEMONSTRATION * 2 + DOCUMENT + QUESTION + RESPONSE) - 5
    few_gone = fitted(whole, total - some, "left", tokenizer, sample(DOCUMENT))
    assert [removal.role for removal in few_gone.cut.removed][-1] is Role.DEMONSTRATION
    assert DOCUMENT in few_gone.text
    many_gone = fitted(whole, total // 2, "left", tokenizer, sample(DOCUMENT))
    roles = [removal.role for removal in many_gone.cut.removed]
    assert roles == [Role.INSTRUCTION, Role.DEMONSTRATION, Role.DOCUMENT]
    assert DOCUMENT.endswith(many_gone.text.removesuffix(QUESTION + RESPONSE))


@pytest.mark.parametrize(
    ("strategy", "head", "tail"),
    [("document-left", False, True), ("document-right", True, False), ("document-middle", True, True)],
)
def test_a_document_cut_takes_from_its_own_side_only(
    tokenizer: Tokenizer, strategy: str, *, head: bool, tail: bool
) -> None:
    whole = parts(DOCUMENT, demonstration=DEMONSTRATION, instruction=INSTRUCTION)
    total = _length(tokenizer, "".join(part.text for part in whole))
    found = fitted(whole, total - 100, strategy, tokenizer, sample(DOCUMENT))
    assert [removal.role for removal in found.cut.removed] == [Role.DOCUMENT]
    assert found.removed is not None
    left = len(INSTRUCTION + DEMONSTRATION)
    assert (found.removed.start > left, found.removed.end < left + len(DOCUMENT)) == (head, tail)


def test_a_middle_cut_keeps_as_much_of_both_ends(tokenizer: Tokenizer) -> None:
    total = _length(tokenizer, DOCUMENT + QUESTION + RESPONSE)
    found = fitted(parts(DOCUMENT), total - 200, "document-middle", tokenizer, sample(DOCUMENT))
    assert found.removed is not None
    before = _length(tokenizer, DOCUMENT[: found.removed.start])
    after = _length(tokenizer, DOCUMENT[found.removed.end :])
    assert abs(before - after) <= 4


@pytest.mark.parametrize("text", ["🙂" * 40, "漢字かな交じり文" * 12, "e\u0301" * 60, "\U0001d518\U0001d52b" * 45])
@pytest.mark.parametrize("strategy", CUTTING)
def test_no_character_is_cut_in_two(tokenizer: Tokenizer, strategy: str, text: str) -> None:
    total = _length(tokenizer, text + QUESTION + RESPONSE)
    least = _length(tokenizer, QUESTION + RESPONSE)
    for budget in range(max(least, total - 9), total):
        found = fitted(parts(text), budget, strategy, tokenizer, sample(text))
        assert "\ufffd" not in found.text
        if not is_lossy(tokenizer):
            assert "\ufffd" not in tokenizer.decode(found.ids)


def test_a_replacement_character_of_the_document_itself_stays(tokenizer: Tokenizer) -> None:
    text = "\ufffd" * 5 + "plain words " * 20
    total = _length(tokenizer, text + QUESTION + RESPONSE)
    found = fitted(parts(text), total - 3, "document-right", tokenizer, sample(text))
    assert found.text.count("\ufffd") == 5


def test_spellings_of_special_tokens_in_a_document_stay_text(tokenizer: Tokenizer) -> None:
    text = " ".join(HOSTILE) * 3
    found = fitted(parts(text), 10_000, "left", tokenizer, sample(text))
    special = set(getattr(tokenizer, "special_ids", {0, 1, 2})) - set(tokenizer.encode_literal("?").ids)
    unknown = set(tokenizer.encode_literal("\U000f0000").ids)
    assert not special.intersection(found.ids[len(plain_frame(tokenizer).head) :]) - unknown
    assert not cut_text_has_special(tokenizer, text)


def cut_text_has_special(tokenizer: Tokenizer, text: str) -> bool:
    """Whether a cut through the spellings brings a special token back."""
    total = _length(tokenizer, text + QUESTION + RESPONSE)
    least = _length(tokenizer, QUESTION + RESPONSE)
    found = (fitted(parts(text), budget, "left", tokenizer, sample(text)) for budget in range(least, total, 5))
    return any(tokenizer.eos_ids.intersection(one.ids) - set(plain_frame(tokenizer).head) for one in found)


class TestEvidence:
    TEXT = "".join(f"{i:04d} " for i in range(100))

    def _fate(self, strategy: str, spans: list[tuple[int, int]], characters: int) -> str | None:
        """Characters as tokens: a cut of exactly so many."""
        tokenizer = CharacterTokenizer()
        whole = parts(self.TEXT, instruction="Read this. ") if strategy != "left" else parts(self.TEXT)
        total = _length(tokenizer, "".join(part.text for part in whole))
        found = fitted(whole, total - characters, strategy, tokenizer, sample(self.TEXT, evidence=spans))
        return found.cut.evidence

    @pytest.mark.parametrize(
        ("strategy", "spans", "characters", "fate"),
        [
            ("left", [(100, 110)], 100, "all"),
            ("left", [(100, 110)], 101, "some"),
            ("left", [(100, 110)], 109, "some"),
            ("left", [(100, 110)], 110, "none"),
            ("left", [(0, 5), (400, 405)], 5, "some"),
            ("left", [(0, 5), (5, 10)], 10, "none"),
            ("document-left", [(100, 110)], 100, "all"),
            ("document-left", [(100, 110)], 101, "some"),
            ("document-right", [(390, 400)], 100, "all"),
            ("document-right", [(390, 401)], 100, "some"),
            ("document-right", [(400, 401)], 100, "none"),
            ("document-right", [(0, 500)], 1, "some"),
            ("document-middle", [(0, 200)], 100, "all"),
            ("document-middle", [(0, 201)], 100, "some"),
            ("document-middle", [(200, 300)], 100, "none"),
            ("document-middle", [(300, 500)], 100, "all"),
            ("document-middle", [(299, 500)], 100, "some"),
            ("left", [(0, 500)], 0, "all"),
        ],
    )
    def test_its_fate_is_right_to_the_character(
        self, strategy: str, spans: list[tuple[int, int]], characters: int, fate: str
    ) -> None:
        assert self._fate(strategy, spans, characters) == fate

    def test_a_sample_without_evidence_has_no_fate(self) -> None:
        assert self._fate("left", [], 100) is None

    def test_demonstrations_do_not_shift_it(self) -> None:
        tokenizer = CharacterTokenizer()
        whole = parts(self.TEXT, demonstration=DEMONSTRATION)
        total = _length(tokenizer, "".join(part.text for part in whole))
        marked = sample(self.TEXT, evidence=[(0, 4)])
        spared = fitted(whole, total - len(DEMONSTRATION), "left", tokenizer, marked)
        bitten = fitted(whole, total - len(DEMONSTRATION) - 1, "left", tokenizer, marked)
        assert (spared.cut.evidence, bitten.cut.evidence) == ("all", "some")


def test_skip_gives_nothing_only_when_too_long(tokenizer: Tokenizer) -> None:
    whole, frame = parts(DOCUMENT), plain_frame(tokenizer)
    total = _length(tokenizer, DOCUMENT + QUESTION + RESPONSE)
    assert fit(whole, frame, Budget(total - 1, "cap"), "skip", tokenizer, sample(DOCUMENT)) is None
    kept = fit(whole, frame, Budget(total, "cap"), "skip", tokenizer, sample(DOCUMENT))
    assert kept is not None
    assert not kept.cut.is_cut


def test_error_names_the_sample_and_both_numbers(tokenizer: Tokenizer) -> None:
    total = _length(tokenizer, DOCUMENT + QUESTION + RESPONSE)
    with pytest.raises(UsageError, match=rf"sample s: .*\b{total}\b.*\b{total - 1}\b"):
        fit(
            parts(DOCUMENT),
            plain_frame(tokenizer),
            Budget(total - 1, "cap"),
            "error",
            tokenizer,
            sample(DOCUMENT),
        )


@pytest.mark.parametrize("strategy", CUTTING)
def test_a_frame_that_exceeds_the_budget_is_refused_naming_the_sample(tokenizer: Tokenizer, strategy: str) -> None:
    whole, frame = parts(DOCUMENT, demonstration=DEMONSTRATION), plain_frame(tokenizer)
    kept = QUESTION + RESPONSE if strategy == "left" else DEMONSTRATION + QUESTION + RESPONSE
    least = _length(tokenizer, kept)
    check_frame(whole, frame, Budget(least, "cap"), strategy, tokenizer, sample(DOCUMENT))
    for refuse in (check_frame, fit):
        with pytest.raises(UsageError, match=r"sample s: .*--max-prompt-tokens"):
            refuse(whole, frame, Budget(least - 1, "cap"), strategy, tokenizer, sample(DOCUMENT))


@pytest.mark.parametrize(("bound", "limit"), [("cap", "--max-prompt-tokens"), ("model", "the model's maximum")])
def test_what_cannot_fit_is_told_with_both_numbers_and_the_limit(bound: Literal["cap", "model"], limit: str) -> None:
    tokenizer = CharacterTokenizer()
    whole, frame = parts(DOCUMENT), plain_frame(tokenizer)
    needed = len(QUESTION + RESPONSE) + frame.tokens
    for refuse in (check_frame, fit):
        with pytest.raises(UsageError) as refused:
            refuse(whole, frame, Budget(5, bound), "left", tokenizer, sample(DOCUMENT))
        assert str(refused.value) == (
            f"sample s: the parts that a 'left' cut must keep have {needed} tokens, but the budget is 5 ({limit}); "
            "raise the limit, ask for fewer shots, or choose another --strategy"
        )


def test_a_prompt_too_long_to_send_whole_is_told_with_both_numbers() -> None:
    said = str(over_length_error(sample(DOCUMENT), 7, Budget(5, "cap")))
    assert said == "sample s: the prompt has 7 tokens, the budget is 5; choose a --strategy that cuts"


def test_the_last_budget_that_passes_the_check_really_fits(tokenizer: Tokenizer) -> None:
    whole = parts(DOCUMENT, demonstration=DEMONSTRATION)
    least = _length(tokenizer, DEMONSTRATION + QUESTION + RESPONSE)
    found = fitted(whole, least, "document-middle", tokenizer, sample(DOCUMENT))
    assert found.text == DEMONSTRATION + QUESTION + RESPONSE


def test_a_question_longer_than_the_document_survives(tokenizer: Tokenizer) -> None:
    found = fitted(parts(""), _length(tokenizer, QUESTION + RESPONSE), "left", tokenizer, sample(""))
    assert found.text == QUESTION + RESPONSE


def test_a_cut_chosen_for_all_questions_is_made_where_less_would_do() -> None:
    tokenizer, whole = CharacterTokenizer(), parts("abcdefghij")
    frame = plain_frame(tokenizer)
    found = fit(whole, frame, Budget(1000, "cap"), "left", tokenizer, sample("abcdefghij"), aligned=Span(0, 4))
    assert found is not None
    check(found, whole, frame, tokenizer)
    assert found.text == "efghij" + QUESTION + RESPONSE


def test_a_frame_around_the_prompt_counts_and_is_kept(tokenizer: Tokenizer) -> None:
    own = plain_frame(tokenizer)
    frame = Frame((*own.head, *tokenizer.encode_literal("system").ids), tuple(tokenizer.encode_literal("go").ids))
    whole = parts(DOCUMENT)
    total = frame.tokens + len(tokenizer.encode_literal(DOCUMENT + QUESTION + RESPONSE).ids)
    found = fitted(whole, total - 30, "left", tokenizer, sample(DOCUMENT), frame)
    assert found.cut.tokens_before == total


class _OneMore(CharacterTokenizer):
    """Encodes a whole chat into one more token than its pieces have."""

    def encode_chat(self, text: str, _: list[tuple[int, int]]) -> Encoding:
        own = self.encode_literal(text)
        return Encoding((*own.ids, 7), (*own.offsets, (len(text), len(text))))


@pytest.mark.parametrize("excess", [0, 5])
def test_a_chat_is_counted_as_it_is_sent(excess: int) -> None:
    tokenizer = _OneMore()
    before, after = tokenizer.encode_literal("ab").ids, tokenizer.encode_literal("cd").ids
    frame = Frame((1, *before), after, ("ab", "cd"))
    whole = parts(DOCUMENT)
    text = DOCUMENT + QUESTION + RESPONSE
    found = fit(whole, frame, Budget(len(text) + 6 - excess, "cap"), "left", tokenizer, sample(DOCUMENT))
    assert found is not None
    assert found.text == text[len(text) - len(found.text) :]
    if excess:  # what was cut fills the room, so that only its pieces fit
        assert found.ids == (1, *before, *tokenizer.encode_literal(found.text).ids, *after)
        assert found.cut.tokens_kept == len(found.ids) == len(text) + 6 - excess
        return
    assert found.ids == (1, *tokenizer.encode_literal(f"ab{text}cd").ids, 7)
    assert found.cut.tokens_before == found.cut.tokens_kept == len(text) + 6


class _OneLess(CharacterTokenizer):
    """Encodes a whole chat without its last character."""

    def encode_chat(self, text: str, _: list[tuple[int, int]]) -> Encoding:
        return self.encode_literal(text[:-1])


def test_a_cut_chat_is_encoded_at_once_where_that_fits() -> None:
    tokenizer = _OneLess()
    before, after = tokenizer.encode_literal("ab").ids, tokenizer.encode_literal("cd").ids
    room = len(DOCUMENT)
    found = fit(
        parts(DOCUMENT), Frame((1, *before), after, ("ab", "cd")), Budget(room, "cap"), "left", tokenizer, ASKED
    )
    assert found is not None
    assert found.ids == (1, *tokenizer.encode_literal(f"ab{found.text}c").ids)
    assert found.cut.tokens_kept == len(found.ids) == room - 1


def test_evidence_needs_no_document_in_the_prompt() -> None:
    question = (Part(Role.QUESTION, "Why?"),)
    assert evidence_fate(ASKED, question, Span(0, 2)) is None
    assert evidence_fate(sample(DOCUMENT, evidence=[(0, 4)]), question, None) == "all"


def test_a_prompt_without_question_or_document_has_less_to_cut() -> None:
    instruction, document = Part(Role.INSTRUCTION, "Read. "), Part(Role.DOCUMENT, "A tale.")
    question, response = Part(Role.QUESTION, "Why?"), Part(Role.RESPONSE, " A:")
    assert before_the_question((instruction, document, question, response)) == Span(0, 13)
    assert before_the_question((instruction, document, response)) == Span(0, 13)
    assert before_the_question((instruction, document, document)) == Span(0, 20)
    assert before_the_question((instruction,)) == Span(0, 0)
    assert the_document((instruction, document, document, question)) == Span(6, 20)
    assert the_document((instruction, question)) == Span(0, 0)


class TestBudget:
    def test_is_the_models_maximum_less_the_answer_or_the_cap(self) -> None:
        assert prompt_budget(1000, None, 64) == Budget(936, "model")
        assert prompt_budget(1000, 500, 64) == Budget(500, "cap")
        assert prompt_budget(1000, 990, 64) == Budget(936, "model")
        assert prompt_budget(None, 500, 64) == Budget(500, "cap")

    def test_takes_the_answer_from_the_cap_where_the_protocol_says_so(self) -> None:
        assert prompt_budget(1000, 500, 64, limit_includes_generation=True) == Budget(436, "cap")

    def test_of_one_token_is_a_budget(self) -> None:
        assert prompt_budget(65, None, 64) == Budget(1, "model")

    @pytest.mark.parametrize(("model_max", "cap", "answer"), [(64, None, 64), (10, 500, 64)])
    def test_without_room_is_refused(self, model_max: int | None, cap: int | None, answer: int) -> None:
        said = (
            f"^no room for a prompt: model maximum {model_max}, cap {cap}, {answer} tokens kept for the answer; "
            "lower --max-new-tokens or raise the limit$"
        )
        with pytest.raises(UsageError, match=said):
            prompt_budget(model_max, cap, answer)

    def test_without_a_limit_is_refused(self) -> None:
        said = "^the model's maximum length is unknown: say --max-model-len N or --max-prompt-tokens N$"
        with pytest.raises(UsageError, match=said):
            prompt_budget(None, None, 1)
