"""Whatever a server does: no traceback, no hang, no other answer than its own, and no key written down."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from fake_server import Fault, Server, drip, endless, half, raw, said, slow, status
from openai_asked import CANARY, answers, asked

from evalsuite.engines.checked import sound
from evalsuite.engines.openai import OpenAIEngine, http
from evalsuite.errors import UsageError
from evalsuite.types import Completion, Request

Open = Callable[..., OpenAIEngine]
OPTIONS = ((44,), (45, 60))
DEEP = "[" * 100_000 + "]" * 100_000
DIGITS = "9" * 5000


def choice(**fields: Any) -> Fault:
    """An answer to generations with some of its fields replaced."""
    good = {"text": "GH", "token_ids": [41, 42], "finish_reason": "stop", "stop_reason": None}
    return said(json.dumps({"choices": [{**good, **fields}], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}))


def logprobs(values: Any, tops: Any = None) -> Fault:
    """An answer to log-likelihoods."""
    tops = [None, *({"x": -50.0} for _ in range(4))] if tops is None else tops
    found = {"token_logprobs": values, "top_logprobs": tops}
    return said(json.dumps({"choices": [{"text": "", "logprobs": found}], "usage": {"prompt_tokens": 5}}))


def loop(handler: Any) -> None:
    handler.say(307, "", location=handler.server.url + "/completions")


BEHAVIOURS: dict[str, Fault] = {
    **{f"status {code}": status(code) for code in (301, 400, 404, 405, 413, 418, 422, 451, 501, 505, 599)},
    **{f"transient {code}": status(code, "later", retry_after="0.01") for code in (408, 429, 500, 502, 503, 529)},
    "a status without a body": raw(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"),
    "a status that is none": raw(b"HTTP/1.1 9999 WAT\r\n\r\n"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "noise": raw(bytes(range(256)) * 40),
    "a head without end": raw(b"HTTP/1.1 200 OK\r\n", *[b"x: y\r\n"] * 50_000),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    "a length below zero": raw(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}"),
    "a chunk that is none": raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "nothing": raw(b""),
    "a redirect in circles": loop,
    "half an answer": half,
    "silence": slow,
    "a drip": drip("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{{{{{{{{{{", 3.0),
    "no end": endless,
    "an empty body": said(""),
    "no UTF-8": raw(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe{}"),
    "deep JSON": said(DEEP),
    "a deep error": said(f'{{"error": {"[" * 900 + "]" * 900}}}'),
    "a number of 5,000 digits": said(f'{{"choices": [{{"text": {DIGITS}}}]}}'),
    "a count of 4,000 digits": said(f'{{"choices": [{{"text": ""}}], "usage": {{"prompt_tokens": {DIGITS[:4000]}}}}}'),
    **{f"JSON {text}": said(text) for text in ("null", "true", "1e999", "NaN", '"text"', "[]", "{}")},
    "choices that are a text": said('{"choices": "one"}'),
    "a choice that is a list": said('{"choices": [[]]}'),
    "half a surrogate pair": choice(text="GH\ud83d"),
    "a text that is a list": choice(text=["GH"]),
    "ids below zero": choice(token_ids=[41, -42]),
    "a huge id": choice(token_ids=[41, 2**63]),
    "an id of 4,000 digits": choice(token_ids=[41, 10**4000]),
    "ids that are texts": choice(token_ids=["41", "42"]),
    "ids that are fractions": choice(token_ids=[41.0, 42.5]),
    "ids that are truth values": choice(token_ids=[True, False]),
    "ids that are a map": choice(token_ids={"0": 41}),
    "no ids where there were some": choice(token_ids=None),
    "other ids than the text": choice(token_ids=[41, 43]),
    "fewer ids than the text": choice(token_ids=[41]),
    "ids beyond the vocabulary": choice(token_ids=[41, 42_000]),
    "too long an answer": choice(text="GH" * 9, token_ids=[41, 42] * 9),
    "a reason of a list": choice(finish_reason=["stop"]),
    "a reason with half a character": choice(finish_reason="\udc80"),
    "a filter": choice(finish_reason="content_filter"),
    "the key as its text": choice(text=CANARY, token_ids=[CANARY]),
    "the key as its reason": choice(finish_reason=CANARY),
    "the key in an error": said(json.dumps({"error": {"message": f"no such key {CANARY!r}", "code": CANARY}})),
    "log-probabilities that are no numbers": logprobs([None, -1.0, -1.0, -1.0, float("nan")]),
    "infinite log-probabilities": logprobs([None, -1.0, -1.0, -1.0, float("-inf")]),
    "log-probabilities above zero": logprobs([None, -1.0, -1.0, -1.0, 3.0]),
    "log-probabilities that are texts": logprobs([None, -1.0, -1.0, -1.0, "-1.0"]),
    "too few log-probabilities": logprobs([None, -1.0, -1.0]),
    "too many log-probabilities": logprobs([None, *([-1.0] * 20)]),
    "log-probabilities that are a text": logprobs("-1.0"),
    "first choices that are no map": logprobs([None, -1.0, -1.0, -1.0, -1.0], [None, 1, 2, 3, 4]),
    "first choices that are no numbers": logprobs([None, -1.0, -1.0, -1.0, -1.0], [{"x": "y"}] * 5),
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, opened: Open) -> OpenAIEngine:
    monkeypatch.setattr(http, "LEAST_BYTES", 1 << 20)
    return opened(timeout="0.3", attempts="1", price_in="1", price_out="1", max_cost="1000")


def unharmed(engine: OpenAIEngine, request: Request, good: Completion) -> Completion:
    """One answer: the server's own, or a failure that says why; the next request is answered as ever."""
    begun = time.monotonic()
    (found,) = answers(engine, request).values()
    assert time.monotonic() - begun < 3
    assert sound(found, request) == found
    assert found.error or found == good
    assert CANARY not in repr((found, engine.info))
    json.dumps(found.error, ensure_ascii=False).encode()
    (after,) = answers(engine, request).values()
    assert after == good
    return found


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_generation_fails_with_a_line_that_says_why(quick: OpenAIEngine, server: Server, name: str) -> None:
    (good,) = answers(quick, asked()).values()
    assert good.error is None
    server.faults = [BEHAVIOURS[name]]
    found = unharmed(quick, asked(), good)
    harmless = name.startswith(("log-", "infinite", "too few log", "too many log", "first choices"))
    assert harmless or found.error
    assert "\n" not in (found.error or "")


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_log_likelihood_fails_with_a_line_that_says_why(quick: OpenAIEngine, server: Server, name: str) -> None:
    (good,) = answers(quick, asked(options=OPTIONS)).values()
    assert good.error is None
    server.faults = [BEHAVIOURS[name]]
    assert unharmed(quick, asked(options=OPTIONS), good).error


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_list_of_models_that_is_none_is_a_line_and_not_a_crash(opened: Open, server: Server, name: str) -> None:
    server.looks = [BEHAVIOURS[name]]
    engine = opened(timeout="0.3", attempts="1")
    assert any("its limit is unknown" in note for note in engine.info.notes)
    assert CANARY not in repr(engine.info)


def test_the_answer_that_is_spoiled_here_is_a_good_one(quick: OpenAIEngine, server: Server) -> None:
    server.faults = [choice(), choice(text="GHG", token_ids=[41, 42, 41])]
    found = [next(iter(answers(quick, asked()).values())) for _ in range(2)]
    assert [(one.error, one.text) for one in found] == [(None, "GH"), (None, "GHG")]


HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 2**31, 10**300, 0.5, float("nan"), float("-inf"), "", "\ud800", "x" * 10_000),
    *([], {}, [[]], {"": None}, [None] * 50, CANARY),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be replaced in a JSON value."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    value = deepcopy(value)
    target = value
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = other
    return value


@pytest.mark.parametrize("options", [(), OPTIONS], ids=["generations", "log-likelihoods"])
def test_no_field_of_an_answer_can_be_replaced_into_another_answer(
    quick: OpenAIEngine, server: Server, monkeypatch: pytest.MonkeyPatch, options: tuple[tuple[int, ...], ...]
) -> None:
    (good,) = answers(quick, asked(options=options)).values()
    heard: list[Any] = []
    answer = type(quick._client)._json

    def listening(client: http.Client, received: Any) -> Any:
        heard.append(answer(client, received))
        return heard[-1]

    monkeypatch.setattr(http.Client, "_json", listening)
    answers(quick, asked(options=options))
    monkeypatch.setattr(http.Client, "_json", answer)
    chance = random.Random(5)  # noqa: S311 - a test's choice of faults
    tried = [(path, other) for path in places(heard[0]) for other in HOSTILE]
    for path, other in chance.sample(tried, min(200, len(tried))):
        server.faults = [said(json.dumps(replaced(heard[0], path, other)))]
        (found,) = answers(quick, asked(options=options)).values()
        assert CANARY not in repr(found), (path, other)
        if found.error is None and path[-1] in {"finish_reason", "stop_reason", "cached_tokens"}:
            assert found.text == good.text
        elif found.error is None and path[-2:] == ("token_logprobs", len(asked().prompt)):
            assert other == found.options[0].logprob < 0
        elif found.error is None:
            assert (found.text, found.token_ids) == (good.text, good.token_ids), (path, other)
            assert [score.logprob for score in found.options] == [score.logprob for score in good.options], path


@pytest.mark.parametrize(
    "models",
    [
        {"data": 5},
        {"data": None},
        {"data": {"id": "tiny"}},
        {"data": "tiny"},
        {"models": []},
    ],
)
def test_a_list_in_no_known_form_says_so(opened: Open, server: Server, models: Any) -> None:
    server.models = models
    engine = opened()
    assert engine.info.max_model_len is None
    assert any("list of models cannot be read" in note for note in engine.info.notes)


@pytest.mark.parametrize("entry", [None, 5, [], {}, {"id": ["tiny"]}, {"id": {}}, {"id": None}])
def test_entries_that_are_none_are_left_out(opened: Open, server: Server, entry: Any) -> None:
    server.models = {"data": [entry, {"id": "tiny", "max_model_len": 65}]}
    assert opened().info.max_model_len == 64


@pytest.mark.parametrize("limit", [0, 1, -5, True, "65", 65.5, 10**400, [65], {"n": 65}])
def test_a_limit_that_is_none_is_left_out_with_a_note(opened: Open, server: Server, limit: Any) -> None:
    server.models = {"data": [{"id": "tiny", "max_model_len": limit, "meta": {"n_ctx": 40}}]}
    engine = opened()
    assert engine.info.max_model_len == 39
    assert "the server's max_model_len is no limit, and is left out" in engine.info.notes


def test_a_key_the_server_refuses_ends_the_run_at_the_start(opened: Open, server: Server) -> None:
    server.looks = [status(401, CANARY)]
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        opened()
    assert CANARY not in str(caught.value)
