"""A loopback server that speaks enough of the hub's HTTP interface to be downloaded from."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class State:
    """What the hub holds and what it was asked."""

    def __init__(self, files: dict[str, bytes], repository: str = "owner/name") -> None:
        self.files = files
        self.repository = repository
        self.commit = COMMIT
        self.gated = False
        self.asked: list[str] = []
        self.endpoint = ""
        self.listing = b""
        """What is answered instead of the list of files, when given."""
        self.break_after = 0
        """Bytes after which the next download breaks off once; 0 never."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        state, path = self.state, self.path.partition("?")[0]
        state.asked.append(f"{self.command} {path}")
        start = f"/datasets/{state.repository}/resolve/{state.commit}/"
        name = path.removeprefix(start)
        if path.startswith(f"/api/datasets/{state.repository}"):
            siblings = [{"rfilename": name} for name in state.files]
            found = {"id": state.repository, "sha": state.commit, "siblings": siblings}
            self._send(state.listing or json.dumps(found).encode())
        elif state.gated:
            self._send(b"", 403, {"X-Error-Code": "GatedRepo"})
        elif path.startswith(start) and name in state.files:
            self._send_file(state.files[name])
        else:
            self._send(b"", 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": state.commit})

    def _send_file(self, data: bytes) -> None:
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": self.state.commit}
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
            self.state.asked.append(f"RESUMED at {first}")
        self._send(data[first:], 206 if first else 200, headers)

    def _send(self, data: bytes, code: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for key, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.state.break_after and code == HTTPStatus.OK and "ETag" in (headers or {}):
            self.wfile.write(data[: self.state.break_after])
            self.state.break_after = 0
            self.close_connection = True
            return
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def serving(state: State) -> Iterator[State]:
    """The hub at ``state.endpoint`` while the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        state.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
