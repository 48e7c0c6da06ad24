"""Chat templates: measured before cutting, BOS once whatever the template writes, the system part in its place."""

from __future__ import annotations

import pytest
from fitting import check
from made import QUESTION, RESPONSE, parts, sample

from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.errors import UsageError
from evalsuite.interfaces import Encoding
from evalsuite.prompts.chat import Frame, chat_frame, framed, plain_frame
from evalsuite.prompts.fit import Budget, fit
from evalsuite.prompts.render import Rendered, option_ids, render, with_demonstrations
from evalsuite.qa import paper_protocol
from evalsuite.tokenizers import HFTokenizer
from evalsuite.types import Part, Role, ScoredAnswer

DOCUMENT = " ".join(f"Line {i} of the tale." for i in range(80))
SYSTEM = Part(Role.SYSTEM, "Be brief.")


def _template(tokenizer: HFTokenizer, template: str) -> HFTokenizer:
    """The same tokenizer with another chat template."""
    from copy import copy

    other, pretrained = copy(tokenizer), copy(tokenizer._pretrained)
    pretrained.chat_template = template
    other._pretrained = pretrained
    return other


BODY = "{% for m in messages %}<|user|>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}<|assistant|>"


@pytest.mark.parametrize("template", [BODY, "<s>" + BODY, "{{ bos_token }}" + BODY])
def test_bos_stands_once_whether_or_not_the_template_writes_it(tiny_tokenizer: HFTokenizer, template: str) -> None:
    tokenizer = _template(tiny_tokenizer, template)
    whole = parts(DOCUMENT)
    frame = chat_frame(tokenizer, whole)
    found = fit(whole, frame, Budget(200, "cap"), "left", tokenizer, sample(DOCUMENT))
    assert found is not None
    check(found, whole, frame, tokenizer)
    assert found.ids.count(0) == 1
    shown = tokenizer.decode(found.ids)
    assert shown.startswith("<s><|user|>user: ")
    assert shown.endswith(f"{QUESTION}{RESPONSE}</s><|assistant|>")


def test_template_tokens_are_special_and_the_users_spelling_of_them_is_text(tiny_tokenizer: HFTokenizer) -> None:
    document = "He wrote <|assistant|> and </s> here."
    whole = parts(document)
    frame = chat_frame(tiny_tokenizer, whole)
    found = fit(whole, frame, Budget(500, "cap"), "left", tiny_tokenizer, sample(document))
    assert found is not None
    special = [id_ for id_ in found.ids if id_ in tiny_tokenizer.special_ids]
    assert tiny_tokenizer.decode(special) == "<s><|user|></s><|assistant|>"


def test_system_parts_become_the_system_message_and_leave_the_text(tiny_tokenizer: HFTokenizer) -> None:
    protocol = paper_protocol(score=lambda *_: ScoredAnswer({}, ""), max_new_tokens=5)
    plain = protocol.prompt
    from dataclasses import replace

    protocol = replace(protocol, prompt=lambda asked: (SYSTEM, *plain(asked)))
    shown = (Part(Role.DEMONSTRATION, "DEMO "),)
    chat = render(protocol, sample("Tale."), shown, tiny_tokenizer, chat=True)
    assert tiny_tokenizer.decode(chat.frame.head) == "<s><|user|>system: Be brief.</s><|user|>user: "
    assert "Be brief." not in "".join(part.text for part in chat.parts)
    base = render(protocol, sample("Tale."), shown, tiny_tokenizer, chat=False)
    assert "".join(part.text for part in base.parts).startswith("Be brief.DEMO Tale. Q:")
    assert base.frame == plain_frame(tiny_tokenizer)


def test_demonstrations_stand_behind_the_leading_instruction() -> None:
    whole = parts("Tale.", instruction="Answer. ")
    shown = with_demonstrations(whole, (Part(Role.DEMONSTRATION, "DEMO "),))
    assert "".join(part.text for part in shown) == f"Answer. DEMO Tale.{QUESTION}{RESPONSE}"


def test_a_tokenizer_without_a_template_is_refused_with_advice(tiny_tokenizer: HFTokenizer) -> None:
    with pytest.raises(UsageError, match=r"--chat-template: .* leave the option out"):
        chat_frame(_template(tiny_tokenizer, ""), parts("x"))


@pytest.mark.parametrize("template", ["always the same", "{{ messages[-1].content }} {{ messages[-1].content }}"])
def test_a_template_that_hides_or_repeats_the_message_is_refused(tiny_tokenizer: HFTokenizer, template: str) -> None:
    with pytest.raises(UsageError, match="exactly once"):
        chat_frame(_template(tiny_tokenizer, template), parts("x"))


def test_a_template_that_refuses_a_system_message_is_one_clear_line(tiny_tokenizer: HFTokenizer) -> None:
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + BODY
    with pytest.raises(UsageError, match="no system role"):
        chat_frame(_template(tiny_tokenizer, template), (SYSTEM, *parts("x")))


def test_option_ids_continue_the_prompt_as_its_text_would(tiny_tokenizer: HFTokenizer) -> None:
    for tokenizer in (tiny_tokenizer, CharacterTokenizer()):
        whole = parts("Tale.")
        options = (" She said nothing", " A", "s", "")
        text = "".join(part.text for part in whole)
        rendered = Rendered(whole, plain_frame(tokenizer))
        for option, ids in zip(options, option_ids(rendered, options, tokenizer), strict=True):
            assert tokenizer.decode([*tokenizer.encode_literal(text).ids, *ids]) == text + option


def test_options_behind_a_chat_template_begin_the_answer(tiny_tokenizer: HFTokenizer) -> None:
    rendered = Rendered(parts("Tale."), chat_frame(tiny_tokenizer, parts("Tale.")))
    assert option_ids(rendered, (" A",), tiny_tokenizer) == (tiny_tokenizer.encode_literal("A").ids,)


def test_a_chat_is_encoded_as_the_whole_it_is(tiny_tokenizer: HFTokenizer) -> None:
    whole = parts("Tale.")
    text = "".join(part.text for part in whole)
    frame = chat_frame(tiny_tokenizer, whole)
    assert frame.template is not None
    rendered = text.join(frame.template)
    ids = framed(frame, text, tiny_tokenizer.encode_literal(text).ids, tiny_tokenizer, 10**6)
    plain = tuple(tiny_tokenizer.encode_template(rendered.removeprefix("<s>")))
    assert ids == (tiny_tokenizer.bos_id, *plain)
    assert ids.count(tiny_tokenizer.bos_id) == 1


@pytest.mark.parametrize("strategy", ["left", "document-left", "document-right", "document-middle"])
@pytest.mark.parametrize("room", [150, 300])
def test_a_document_is_cut_inside_its_template_and_the_record_adds_up(
    tiny_tokenizer: HFTokenizer, strategy: str, room: int
) -> None:
    whole = parts(DOCUMENT, demonstration="(1) A tale. Q: Who?, A: She.\n\n")
    asked = sample(DOCUMENT, evidence=[(0, 10)])
    frame = chat_frame(tiny_tokenizer, whole)
    assert frame.tail
    found = fit(whole, frame, Budget(room, "model"), strategy, tiny_tokenizer, asked)
    assert found is not None
    assert found.removed is not None
    check(found, whole, frame, tiny_tokenizer)
    own = len(tiny_tokenizer.encode_literal("".join(part.text for part in whole)).ids)
    assert found.cut.tokens_before == own + frame.tokens
    assert room - 8 <= found.cut.tokens_kept <= room, "no more is cut than must be"
    assert found.cut.evidence == {"left": "none", "document-left": "none"}.get(strategy, "all")
    assert found.ids[: len(frame.head)] == frame.head
    assert found.ids[-len(frame.tail) :] == frame.tail


class Joining:
    """Encodes a whole chat into another number of tokens than its pieces have."""

    bos_id = 1

    def __init__(self, more: int) -> None:
        self._more = more

    def encode_chat(self, text: str, _: list[tuple[int, int]]) -> Encoding:
        return Encoding((1, *[7] * (len(text) + self._more)), ())


@pytest.mark.parametrize(
    ("more", "room", "at_once"), [(0, 7, True), (1, 8, True), (1, 7, False), (3, 9, False), (-1, 6, True)]
)
def test_a_chat_that_takes_more_tokens_as_a_whole_than_there_is_room_stays_in_pieces(
    more: int,
    room: int,
    at_once: bool,  # noqa: FBT001
) -> None:
    frame = Frame((1, 50, 51), (52, 53), ("ab", "cd"))
    ids = framed(frame, "ef", (60, 61), Joining(more), room)  # type: ignore[arg-type]
    assert ids == ((1, *[7] * (6 + more)) if at_once else (1, 50, 51, 60, 61, 52, 53))
    assert len(ids) <= max(room, 7)
