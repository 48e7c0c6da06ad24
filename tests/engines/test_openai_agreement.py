"""A server's text that is not that of its token ids fails: so a wrong tokenizer looks. Healthy differences pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from fake_server import Server, said
from openai_asked import answers, asked

from evalsuite.engines.openai import OpenAIEngine
from evalsuite.engines.openai.agreement import agree
from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.errors import UsageError

Open = Callable[..., OpenAIEngine]
TOKENIZER = CharacterTokenizer()
EOS = 2


def ids(text: str) -> list[int]:
    return list(TOKENIZER.encode_literal(text).ids)


@pytest.mark.parametrize(
    ("text", "made", "stop"),
    [
        ("Paris", "Paris", ()),
        ("", "", ()),
        ("Paris", " Paris", ()),
        (" Paris\n", "Paris", ()),
        ("It isn't.", "It is n't .", ()),
        ("Paris", "Paris\nQ: Who?", ("\n",)),
        ("Paris\n", "Paris\nQ: Who?", ("\n",)),
        ("Paris\nQ: Who", "Paris\nQ: Who?", ("\n", "?")),
        ("", "Q: Who?", ("Q:",)),
        ("Pa", "Paris\n\n", ("\n\n", "ris")),
        ("Par", "Par\ufffd", ()),
        ("Par\ufffd\ufffd", "Par\ufffd", ()),
        ("Par\ufffdis", "Par\ufffd\ufffdis", ()),
        ("Par\ufffds", "Par\ufffdis", ()),
    ],
)
def test_what_healthy_servers_differ_in_is_no_contradiction(text: str, made: str, stop: Sequence[str]) -> None:
    assert agree(text, ids(made), stop, TOKENIZER)


def test_special_tokens_may_be_spelled_or_not() -> None:
    for text in ("Paris", "Paris</s>"):
        assert agree(text, [*ids("Paris"), EOS], (), TOKENIZER)


@pytest.mark.parametrize(
    ("text", "made", "stop"),
    [
        ("London", "Paris", ()),
        ("Paris", "", ()),
        ("", "Paris", ()),
        ("Par", "Paris", ()),
        ("Parisian", "Paris", ()),
        ("paris", "Paris", ()),
        ("Par", "Paris\n", ("\n",)),
        ("London", "Paris\ufffd", ()),
    ],
)
def test_another_text_is_a_contradiction(text: str, made: str, stop: Sequence[str]) -> None:
    assert not agree(text, ids(made), stop, TOKENIZER)


def test_an_answer_whose_text_is_not_that_of_its_ids_fails_and_says_what_it_looks_like(
    opened: Open, server: Server
) -> None:
    engine = opened()
    choice = {"text": "Paris", "token_ids": [41, 42], "finish_reason": "stop"}
    server.faults = [said(json.dumps({"choices": [choice], "usage": {"prompt_tokens": 4}}))]
    (found,) = answers(engine, asked()).values()
    assert (found.text, found.token_ids) == ("", ())
    assert "is tokenizer=PATH the served model's own? Its text: 'Paris', its ids: " in (found.error or "")
    assert len(server.bodies) == 1, "another try would say the same"


def test_another_tokenizer_than_the_server_s_ends_the_run_at_its_start(opened: Open, server: Server) -> None:
    server.decode = lambda made: "".join(chr(0x4E00 + id_) for id_ in made)
    with pytest.raises(UsageError, match="is tokenizer=PATH the served model's own"):
        opened()


def test_a_stop_string_the_server_cut_off_is_found_again_in_the_ids(opened: Open, server: Server) -> None:
    engine = opened()
    text = engine.tokenizer.decode([41, 42])
    choice = {"text": text[:1], "token_ids": [41, 42], "finish_reason": "stop", "stop_reason": text[1]}
    server.faults = [said(json.dumps({"choices": [choice], "usage": {"prompt_tokens": 4}}))]
    (found,) = answers(engine, asked(stop=[text[1]])).values()
    assert (found.text, found.token_ids, found.finish_reason, found.error) == (text[:1], (41, 42), "stop", None)
