from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.engines.scripted import CharacterTokenizer, ScriptedEngine, load
from evalsuite.errors import UsageError
from evalsuite.types import Cut, Request
from evalsuite.work import Choose, Generate

CUT = Cut(strategy="left", side=None, budget=100, bound="cap", tokens_before=1, tokens_kept=1)


def _request(text: str, *, new: int = 50, stop: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> Request:
    tokenizer = CharacterTokenizer()
    return Request(
        id="cell/1",
        cell="cell",
        sample_id="1",
        document_hash="d",
        key=text,
        prompt=tuple(tokenizer.encode(text, special_tokens=True)),
        work=Choose(tuple(tokenizer.encode_literal(option).ids for option in options))
        if options
        else Generate(max_new_tokens=new, stop=stop),
        cut=CUT,
    )


@pytest.mark.parametrize("text", ["", "a</s>b <s>", "née 🙂\n\x00", "<pad>"])
def test_characters_come_back_as_they_went(text: str) -> None:
    tokenizer = CharacterTokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode_literal(text).ids) == text
    assert [text[a:b] for a, b in tokenizer.offsets(text)] == [tokenizer.decode([i]) for i in tokenizer.encode(text)]


def test_a_special_spelling_is_special_only_when_not_literal() -> None:
    tokenizer = CharacterTokenizer()
    assert tokenizer.encode("a</s>") == [*tokenizer.encode("a"), 2]
    assert not {0, 1, 2} & set(tokenizer.encode_literal("a</s>").ids)


def test_the_answer_stops_before_the_first_stop_string_and_at_the_limit() -> None:
    engine = ScriptedEngine({"q": "one two\nthree"})
    whole, stopped, capped = engine.complete(
        [[_request("q"), _request("q", stop=("\n", "thr"))], [_request("q", new=3, stop=("\n",))]]
    )
    assert (whole.text, whole.finish_reason) == ("one two\nthree", "eos")
    assert (stopped.text, stopped.finish_reason) == ("one two", "stop")
    assert (capped.text, capped.finish_reason) == ("one", "length")


def test_the_option_that_the_answer_begins_with_is_the_likeliest() -> None:
    (completion,) = ScriptedEngine(lambda _: "B").complete([[_request("q", options=(" A", " B"))]])
    first, second = completion.options
    assert second.logprob > first.logprob
    assert (first.greedy, second.greedy) == (False, True)


def test_a_prompt_the_model_cannot_hold_fails_alone() -> None:
    engine = load("echo", {}, max_model_len=20)
    long, short = engine.complete([[_request("a question that is too long", new=4), _request("a\nbc", new=4)]])
    assert long.error
    assert not long.text
    assert short.text == "bc"
    assert engine.info.max_model_len == 20


def test_groups_are_pulled_only_as_they_are_answered() -> None:
    pulled = []

    def groups() -> object:
        for number in range(3):
            pulled.append(number)
            yield [replace(_request("a"), key=str(number))]

    answers = load("echo", {}).complete(groups())
    assert next(answers).key == "0"
    assert pulled == [0]


@pytest.mark.parametrize(("name", "options"), [("ecko", {}), ("echo", {"speed": "9"})])
def test_an_unknown_script_or_option_is_a_usage_error(name: str, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"echo|speed"):
        load(name, options)
