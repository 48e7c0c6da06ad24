"""One exchange with an HTTP server, within a time and a size.

A library's time-outs bound the wait for the next byte, so a server that drips holds a try for ever. Here a deadline
bounds the whole exchange, connecting included, which takes an event loop: it runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass

import httpx

from evalsuite.errors import UsageError


@dataclass(frozen=True, slots=True)
class Received:
    """A server's answer, whole."""

    status: int
    retry_after: str | None
    body: bytes

    @property
    def text(self) -> str:
        """The body for a message."""
        return self.body.decode("utf-8", "replace")


class TooLargeError(Exception):
    """The answer is larger than any answer to this request can be."""


class StoppedError(Exception):
    """The exchange was ended from this side."""


class Transfer:
    """Exchanges with servers. Safe to use from several threads.

    No compressed answers are asked for: a small one may unpack to any size.
    """

    def __init__(self, headers: Mapping[str, str], *, secure: bool) -> None:
        """Opens nothing yet.

        Args:
            headers: of every request.
            secure: whether certificates are needed; loading them takes longer than a local server does to answer.

        Raises:
            UsageError: the environment's proxy settings cannot be used.
        """
        self._client = _client({**headers, "Accept-Encoding": "identity"}, secure=secure)
        self._loop = asyncio.new_event_loop()
        self._running: set[asyncio.Task[Received]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="evalsuite-http")
        self._thread.start()

    def send(self, method: str, url: str, content: bytes | None, *, seconds: float, most: int) -> Received:
        """One request and its whole answer.

        Args:
            method: of HTTP.
            url: where to.
            content: JSON to send.
            seconds: for all of it.
            most: bytes the answer may have.

        Raises:
            TimeoutError: it took longer.
            TooLargeError: the answer is larger.
            StoppedError: it was stopped.
            httpx.HTTPError: there was none, or half of one.
        """
        asked = self._bounded(method, url, content, seconds, most)
        try:
            return asyncio.run_coroutine_threadsafe(asked, self._loop).result()
        except CancelledError:
            raise StoppedError from None
        except ExceptionGroup as several:
            # What connecting raised on each address; httpx knows only errors of the system itself.
            raise httpx.ConnectError(str(several.exceptions[0])) from None

    def stop(self) -> None:
        """Ends what is under way."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._running])

    def close(self) -> None:
        """Ends what is under way and closes the connections."""
        if self._loop.is_closed():
            return
        self.stop()
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _bounded(self, method: str, url: str, content: bytes | None, seconds: float, most: int) -> Received:
        task = asyncio.ensure_future(self._exchange(method, url, content, most))
        self._running.add(task)
        try:
            async with asyncio.timeout(seconds):
                return await task
        finally:
            self._running.discard(task)

    async def _exchange(self, method: str, url: str, content: bytes | None, most: int) -> Received:
        headers = {} if content is None else {"Content-Type": "application/json"}
        async with self._client.stream(method, url, content=content, headers=headers) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise httpx.DecodingError("it is compressed, which it was asked not to be")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > most:
                    raise TooLargeError
            return Received(response.status_code, response.headers.get("retry-after"), bytes(body))


def _client(headers: Mapping[str, str], *, secure: bool) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    try:
        return httpx.AsyncClient(timeout=None, headers=headers, verify=secure, limits=limits)  # noqa: S113 - a deadline bounds all of it
    except ImportError:
        hint = "pip install 'httpx[socks]', or add the server to NO_PROXY"
        raise UsageError(f"openai: the environment names a SOCKS proxy, which needs a package: {hint}") from None
    except (ValueError, httpx.InvalidURL):
        # Without its address: that may hold a password.
        raise UsageError("openai: the proxy that the environment names (HTTP_PROXY, ALL_PROXY) is no proxy") from None
    except OSError as error:
        raise UsageError(f"openai: the certificates that the environment names cannot be read: {error}") from None
