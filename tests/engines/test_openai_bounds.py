"""A server's answer has a time and a size; what it asks to wait is obeyed, within a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from fake_server import Fault, Server, drip, endless, raw, status
from openai_asked import answers, asked

from evalsuite.engines.openai import OpenAIEngine, http

Open = Callable[..., OpenAIEngine]
TRY = 0.3
DRIPS: dict[str, Fault] = {
    "a body": drip("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + "{" * 99, 6.0),
    "a chunked body": drip("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + "1\r\n{\r\n" * 20, 6.0),
    "a head": raw(b"HTTP/1.1 200 OK\r\nx: ", *[b"y"] * 200, every=0.03),
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_slow_drip_ends_with_its_try(opened: Open, server: Server, name: str) -> None:
    engine = opened(timeout=str(TRY), attempts="2")
    server.faults = [DRIPS[name]] * 2
    begun = time.monotonic()
    (completion,) = answers(engine, asked()).values()
    assert time.monotonic() - begun < 2 * TRY + 1.0
    assert completion.error == f"no answer within {TRY} seconds"


def test_an_endless_answer_is_read_no_further_than_one_to_the_request_can_be(
    opened: Open, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LEAST_BYTES", 1 << 20)
    engine = opened(attempts="2")
    server.faults = [endless]
    (completion,) = answers(engine, asked()).values()
    assert completion.error == f"an answer of more than {(1 << 20) + (8 << 10)} bytes"
    # What the sockets between them hold comes on top of what was read.
    assert server.sent < 16 << 20


def test_a_compressed_answer_is_refused_for_it_may_unpack_to_any_size(opened: Open, server: Server) -> None:
    engine = opened(attempts="1")
    server.faults = [status(200, "{}", content_encoding="gzip")]
    assert "compressed" in (answers(engine, asked())["r0"].error or "")


def test_a_server_that_asks_for_time_gets_it(opened: Open, server: Server) -> None:
    engine = opened()
    server.faults = [status(429, "slow down", retry_after="0.5")]
    begun = time.monotonic()
    assert answers(engine, asked())["r0"].error is None
    assert time.monotonic() - begun >= 0.5


@pytest.mark.parametrize("asks", ["100000", "inf", "1e400"])
def test_a_server_that_asks_for_too_much_time_does_not_get_it(
    opened: Open, server: Server, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    monkeypatch.setattr(http, "LONGEST_WAIT", 0.1)
    engine = opened()
    server.faults = [status(503, "later", retry_after=asks)]
    begun = time.monotonic()
    assert answers(engine, asked())["r0"].error is None
    assert 0.1 <= time.monotonic() - begun < 5


@pytest.mark.parametrize("asks", ["nan", "-5", "Wed, 21 Oct 2099 07:28:00 GMT", "soon", "9" * 5000])
def test_a_wish_that_is_no_time_is_answered_with_a_pause_of_ours(
    opened: Open, server: Server, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    monkeypatch.setattr(http, "LONGEST_WAIT", 0.1)
    engine = opened()
    server.faults = [status(429, "later", retry_after=asks)]
    begun = time.monotonic()
    assert answers(engine, asked())["r0"].error is None
    assert time.monotonic() - begun < 5


def test_a_run_that_is_given_up_does_not_wait_for_the_server(opened: Open, server: Server) -> None:
    engine = opened(concurrency="2")
    server.faults = [lambda handler: handler.answer(server.bodies[0]), lambda _: time.sleep(30)]
    found = engine.complete([[asked(0), asked(1)]])
    next(found)
    begun = time.monotonic()
    found.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 5
