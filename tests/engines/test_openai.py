"""A server's bad days cost time, never a wrong answer; and no key is ever written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engine_requests import request
from fake_server import Fault, Server, half, leave, said, slow, status
from openai_asked import CANARY, answers, asked

from evalsuite.engines.openai import OpenAIEngine, load
from evalsuite.errors import UsageError
from evalsuite.types import Completion

Open = Callable[..., OpenAIEngine]


FAULTS: dict[str, Fault] = {
    "429": status(429, "slow down", retry_after="0.01"),
    "500": status(500),
    "503 as a web page": status(503, "<html>"),
    "garbage": said("<html>Gateway</html>"),
    "a list": said("[1, 2]"),
    "half an answer": half,
    "half a JSON": said('{"choices": [{"text": "Par'),
    "an error body with status 200": said('{"error": {"message": "overloaded", "code": 503}}'),
    "an error beside an answer": said('{"error": "oops", "choices": [{"text": "wrong", "finish_reason": "stop"}]}'),
    "no choices": said('{"choices": []}'),
    "no text": said('{"choices": [{"finish_reason": "stop"}]}'),
    "an aborted answer": said('{"choices": [{"text": "wro", "finish_reason": "abort"}]}'),
    "a finish reason that is none": said('{"choices": [{"text": "wro", "finish_reason": ["stop"]}]}'),
    "a time-out": slow,
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_fault_that_passes_the_answer_is_the_server_s_own(opened: Open, server: Server, name: str) -> None:
    engine = opened(timeout="0.4")
    server.faults = [FAULTS[name]] * 2
    (completion,) = answers(engine, asked()).values()
    assert (completion.error, completion.token_ids, completion.finish_reason) == (None, (41, 42), "eos")
    assert len(server.bodies) == 3


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays_is_a_failure_and_never_an_answer(opened: Open, server: Server, name: str) -> None:
    engine = opened(timeout="0.2", attempts="2")
    server.faults = [FAULTS[name]] * 2
    found = answers(engine, asked())
    assert found["r0"].error
    assert (found["r0"].text, found["r0"].token_ids, found["r0"].finish_reason) == ("", (), None)


@pytest.mark.parametrize(
    "fault",
    [
        status(400, "too long"),
        status(422),
        said('{"error": {"message": "bad", "code": 400}}'),
        said('{"choices": [{"text": "", "finish_reason": "content_filter"}]}'),
    ],
)
def test_what_the_server_will_never_answer_is_asked_once(opened: Open, server: Server, fault: Fault) -> None:
    engine = opened(concurrency="1")
    server.faults = [fault]
    found = answers(engine, asked(0), asked(1))
    assert found["r0"].error
    assert found["r1"].error is None
    assert len(server.bodies) == 2


def test_a_refused_key_ends_the_run_with_the_variable_s_name_and_not_the_key(opened: Open, server: Server) -> None:
    engine = opened()
    server.faults = [status(401, CANARY)]
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        answers(engine, asked())
    assert CANARY not in str(caught.value)


def test_the_key_is_in_nothing_that_is_kept(opened: Open, server: Server) -> None:
    engine = opened(attempts="1")
    server.faults = [status(400, f"your key {CANARY} is fine"), status(500, CANARY), said(CANARY)]
    found = answers(engine, *(asked(n) for n in range(4)))
    assert sum(completion.error is not None for completion in found.values()) == 3
    assert "***" in str(found)
    assert CANARY not in repr((found, engine.info))


@pytest.mark.parametrize("option", ["api_key", "key"])
def test_a_key_given_as_an_option_is_refused(opened: Open, option: str) -> None:
    with pytest.raises(UsageError, match="environment variable"):
        opened(**{option: CANARY})


def test_a_password_in_the_address_is_refused(opened: Open) -> None:
    with pytest.raises(UsageError, match="no user, password"):
        opened(base_url=f"http://me:{CANARY}@127.0.0.1/v1")


def test_no_more_requests_are_under_way_than_allowed(opened: Open, server: Server) -> None:
    engine = opened(concurrency="3")
    server.pause = 0.03
    assert len(answers(engine, *(asked(n) for n in range(12)))) == 12
    assert server.most == 3


def test_a_run_stops_before_it_costs_more_than_allowed(opened: Open, server: Server) -> None:
    # A request is 4 prompt tokens and at most 4 of answer, of which the server makes 2: 6 of 8 are paid.
    engine = opened(price_in="1000000", price_out="1000000", max_cost="20", concurrency="2")
    found = answers(engine, *(asked(n) for n in range(9)))
    assert len(found) == len(server.bodies) == 3
    assert engine.purse.spent == 18
    assert "maximum cost of 20" in engine.info.notes[-1]
    assert not any(completion.error for completion in found.values())


def test_a_maximum_cost_needs_prices(opened: Open) -> None:
    with pytest.raises(UsageError, match="price_in"):
        opened(max_cost="1")


def test_the_served_maximum_length_is_obeyed(opened: Open, server: Server) -> None:
    engine = opened()
    assert (engine.info.max_model_len, engine.info.max_model_len_source) == (64, "server")
    long = request([0, *([40] * 60)], key="long")
    assert "more than the 64" in (answers(engine, long)["long"].error or "")
    assert server.bodies == []
    assert opened(max_model_len=30).info.max_model_len == 30
    assert opened(max_model_len=900).info.max_model_len == 64


def test_token_ids_are_sent_as_they_are(opened: Open, server: Server) -> None:
    engine = opened(**{"body.top_k": "1"})
    (completion,) = answers(engine, asked(stop=["\n"])).values()
    assert server.bodies[0]["prompt"] == [0, 40, 41, 42]
    assert server.bodies[0]["stop"] == ["\n"]
    assert server.bodies[0]["top_k"] == 1
    assert (completion.prompt_tokens, completion.cached_tokens) == (4, 3)
    assert completion.text == engine.tokenizer.decode([41, 42])


def test_a_server_that_takes_no_ids_gets_text_without_the_bos_and_the_record_says_so(
    opened: Open, server: Server
) -> None:
    server.takes_ids = False
    engine = opened()
    answers(engine, asked())
    assert server.bodies[0]["prompt"] == engine.tokenizer.decode([40, 41, 42])
    assert any("prompts go as text" in note for note in engine.info.notes)


def test_an_answer_to_a_prompt_the_server_cut_is_refused(opened: Open, server: Server) -> None:
    engine = opened()
    server.cuts = 1
    assert (
        answers(engine, asked())["r0"].error == "the server read 3 tokens of the 4 sent: it cut or changed the prompt"
    )


def test_options_are_scored_from_the_echoed_prompt(opened: Open, server: Server) -> None:
    engine = opened()
    (completion,) = answers(engine, asked(options=((44,), (45, 60)))).values()
    assert [(o.logprob, o.tokens, o.greedy) for o in completion.options] == [(-44, 1, True), (-105, 2, False)]
    assert [body["prompt"] for body in server.bodies] == [[0, 40, 41, 42, 44], [0, 40, 41, 42, 45, 60]]


def test_options_cannot_be_scored_where_ids_are_not_taken(opened: Open) -> None:
    engine = opened(endpoint="chat")
    with pytest.raises(UsageError, match="log-likelihoods need"):
        answers(engine, asked(options=((44,),)))


def test_a_chat_endpoint_gets_the_prompt_as_one_message(opened: Open, server: Server) -> None:
    engine = opened(endpoint="chat")
    (completion,) = answers(engine, asked()).values()
    text = engine.tokenizer.decode([40, 41, 42])
    assert server.bodies[0]["messages"] == [{"role": "user", "content": text}]
    assert (completion.text, completion.token_ids, completion.finish_reason) == (text[-2:], (), "eos")
    assert completion.prompt_tokens == 9


def test_a_model_the_server_does_not_have_is_answered_with_the_nearest(opened: Open, server: Server) -> None:
    server.models = {"data": [{"id": "tinny"}]}
    with pytest.raises(UsageError, match="did you mean tinny"):
        opened()


def test_no_server_is_one_clear_line(opened: Open) -> None:
    with pytest.raises(UsageError, match="is the server up"):
        opened(base_url="http://127.0.0.1:9/v1")


def test_a_server_that_goes_away_stops_the_run_instead_of_failing_all_its_samples(opened: Open, server: Server) -> None:
    engine = opened(attempts="1", concurrency="1")
    server.faults = [leave]
    found: list[Completion] = []
    with pytest.raises(UsageError, match="resumed"):
        found.extend(engine.complete([[asked(n) for n in range(50)]]))
    assert len(found) < 10


def test_a_missing_tokenizer_is_asked_for(server: Server) -> None:
    with pytest.raises(UsageError, match="tokenizer=PATH"):
        load("tiny", {"base_url": server.url})
