"""A loopback server with OpenAI's endpoints that misbehaves as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENDLESS = 1 << 30
"""Bytes after which an endless answer gives up."""
Fault = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """Answers with the prompt's last ids, after the faults it was given.

    Attributes:
        faults: one is taken for each request, before answers begin.
        looks: as ``faults``, for requests of the list of models.
        bodies: the bodies received.
        most: most requests that were worked on at once.
        decode: the text of token ids, as the server's tokenizer reads them.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[Fault] = []
        self.looks: list[Fault] = []
        self.bodies: list[dict[str, Any]] = []
        self.models: Any = {"data": [{"id": "tiny", "max_model_len": 65, "owned_by": "fake"}]}
        self.takes_ids = True
        self.decode: Callable[[list[int]], str] = lambda _: ""
        self.cuts = 0
        self.pause = 0.0
        self.sent = 0
        self.lock = threading.Lock()
        self.active = self.most = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Quiet."""

    def do_GET(self) -> None:
        server = self.server
        server.looks.pop(0)(self) if server.looks else self.say(200, json.dumps(server.models))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server
        with server.lock:
            server.bodies.append(body)
            server.active += 1
            server.most = max(server.most, server.active)
            fault = server.faults.pop(0) if server.faults else None
        try:
            time.sleep(server.pause)
            fault(self) if fault else self.answer(body)
        finally:
            with server.lock:
                server.active -= 1

    def answer(self, body: dict[str, Any]) -> None:
        if "messages" in body:
            choice = {"message": {"content": body["messages"][0]["content"][-2:]}, "finish_reason": "stop"}
            return self.good(choice, 9)
        prompt = body["prompt"]
        if isinstance(prompt, str):
            return self.good({"text": prompt[-2:], "finish_reason": "stop"}, len(prompt) + 1)
        if not self.server.takes_ids:
            return self.say(400, '{"error": {"message": "prompt must be a string"}}')
        choice: dict[str, Any] = {"text": self.server.decode(prompt[-2:]), "finish_reason": "stop", "stop_reason": None}
        if body.get("return_token_ids"):
            choice["token_ids"] = prompt[-2:]
        if body.get("echo"):
            values = [None, *(-float(id_) for id_ in prompt[1:]), -1.0]
            tops = [None, *({"x": -50.0} for _ in prompt)]
            choice["logprobs"] = {"token_logprobs": values, "top_logprobs": tops}
        return self.good(choice, len(prompt) - self.server.cuts)

    def good(self, choice: dict[str, Any], prompt_tokens: int) -> None:
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}}
        self.say(200, json.dumps({"choices": [choice], "usage": usage}))

    def say(self, status: int, text: str, *, length: int | None = None, **headers: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        if length is not None:
            self.close_connection = True


def status(code: int, text: str = "no", **headers: str) -> Fault:
    return lambda handler: handler.say(code, text, **headers)


def said(text: str) -> Fault:
    """Any text with status 200."""
    return lambda handler: handler.say(200, text)


def half(handler: Handler) -> None:
    handler.say(200, '{"choices": [{"text": "Par', length=500)


def slow(_: Handler) -> None:
    time.sleep(1.0)


def raw(*pieces: bytes, every: float = 0.0) -> Fault:
    """Bytes as they are, one piece after the other, and then the end of the connection."""

    def fault(handler: Handler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            for piece in pieces:
                handler.wfile.write(piece)
                handler.wfile.flush()
                time.sleep(every)

    return fault


def drip(text: str, seconds: float) -> Fault:
    """A byte at a time, for so long."""
    pieces = [text[at : at + 1].encode() for at in range(len(text))]
    return raw(*pieces, every=seconds / len(pieces))


def endless(handler: Handler) -> None:
    """An answer that never ends; the server counts what it could send."""
    handler.close_connection = True
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while handler.server.sent < ENDLESS:
            handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
            handler.server.sent += 65536


def leave(handler: Handler) -> None:
    """The server goes away in the middle of a request."""
    handler.close_connection = True
    handler.server.shutdown()
    handler.server.server_close()


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
