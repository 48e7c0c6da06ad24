"""Asking an HTTP server until it answers: what is worth another try, what is not, and what is no answer at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
)

from evalsuite.engines.openai.options import Options
from evalsuite.engines.openai.secret import Secret
from evalsuite.engines.openai.transfer import Received, StoppedError, TooLargeError, Transfer
from evalsuite.errors import UsageError

T = TypeVar("T")

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
LONGEST_WAIT = 60.0
"""Seconds between two tries, whatever the server asks for."""
FIRST_WAIT = 0.5
LONGEST_LOOK = 60.0
"""Seconds a server may take to list its models."""
LEAST_BYTES = 4 << 20
BYTES_A_TOKEN = 1 << 10
"""More than any server spends on one: its text, log-probability, alternatives and id, as JSON."""


class NoAnswer(Exception):  # noqa: N818 - what came of a request, not a fault in ours
    """The server gave no answer to this request."""


class Passing(NoAnswer):
    """It may give one later."""

    def __init__(self, message: str, *, after: float | None = None, reached: bool = True) -> None:
        super().__init__(message)
        self.after = after
        """Seconds the server asked to wait."""
        self.reached = reached
        """Whether a server was there at all."""


class Client:
    """A server's base address, with retries. Safe to use from several threads.

    Attributes:
        secret: the key; what a server says goes through its ``shown`` before it is kept anywhere.
    """

    def __init__(self, chosen: Options) -> None:
        self._options = chosen
        self.secret = Secret(chosen.key)
        self._transfer = Transfer(self.secret.headers, secure=chosen.base_url.startswith("https:"))
        self._stopped = threading.Event()

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at a path, tried again as ``post`` does where a server is there.

        Raises:
            NoAnswer: there is none.
            UsageError: the server refuses the key.
        """
        seconds = min(self._options.timeout, LONGEST_LOOK)

        def once() -> dict[str, Any]:
            return self._json(self._send("GET", path, None, seconds=seconds, most=LEAST_BYTES))

        with self._safe_words():
            return self._retrying(_reached)(once)

    def post(self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], T], *, tokens: int) -> T:
        """The answer to a request, tried again after 429, 5xx, time-outs, and answers that are none.

        Args:
            path: below the base address.
            body: the JSON object to send.
            read: takes the answer out of the JSON object that came back; raises NoAnswer where it holds none.
            tokens: of prompt and answer together; a server's answer may be no larger than befits them.

        Raises:
            NoAnswer: all tries failed, or the server says it will never answer this.
            UsageError: the server refuses the key.
        """
        content = json.dumps(body, allow_nan=False).encode()
        most = LEAST_BYTES + tokens * BYTES_A_TOKEN

        def once() -> T:
            received = self._send("POST", path, content, seconds=self._options.timeout, most=most)
            return read(self._json(received))

        with self._safe_words():
            return self._retrying(_passing)(once)

    def stop(self) -> None:
        """Ends what is under way and all waiting for another try."""
        self._stopped.set()
        self._transfer.stop()

    def close(self) -> None:
        """Stops, and closes the connections."""
        self.stop()
        self._transfer.close()

    def _retrying(self, again: Callable[[BaseException], bool]) -> Retrying:
        return Retrying(
            retry=retry_if_exception(again),
            stop=stop_any(stop_after_attempt(self._options.attempts), stop_when_event_set(self._stopped)),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )

    def _sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    @contextmanager
    def _safe_words(self) -> Iterator[None]:
        """No word of a server leaves here but masked, then shortened."""
        try:
            yield
        except NoAnswer as trouble:
            trouble.args = (self.secret.shown(str(trouble)),)
            raise

    def _send(self, method: str, path: str, content: bytes | None, *, seconds: float, most: int) -> Received:
        url = f"{self._options.base_url}{path}"
        try:
            return self._transfer.send(method, url, content, seconds=seconds, most=most)
        except TimeoutError:
            raise Passing(f"no answer within {seconds:g} seconds") from None
        except TooLargeError:
            raise NoAnswer(f"an answer of more than {most} bytes") from None
        except StoppedError:
            raise NoAnswer("stopped before there was an answer") from None
        except httpx.ConnectError as error:
            raise Passing(f"{url} cannot be reached: {error}", reached=False) from None
        except (httpx.HTTPError, UnicodeError) as error:
            raise Passing(f"half an answer: {error}") from None
        except httpx.InvalidURL as error:
            raise UsageError(f"openai: base_url={self._options.base_url!r} is no http address: {error}") from None

    def _json(self, received: Received) -> dict[str, Any]:
        if received.status in {401, 403}:
            raise UsageError(f"the server refuses the key in {self._options.key_env} (status {received.status})")
        if received.status in TRANSIENT:
            raise Passing(_told(received), after=_seconds(received.retry_after))
        if received.status != httpx.codes.OK:
            raise NoAnswer(_told(received))
        try:
            body = json.loads(received.body)
        except (ValueError, RecursionError):
            raise Passing(f"status 200 with something that is no JSON: {received.text!r}") from None
        if not isinstance(body, dict):
            raise Passing(f"status 200 with something that is no answer: {received.text!r}")
        if body.get("error"):
            raise _reported(body["error"])
        return body


def _told(received: Received) -> str:
    return f"status {received.status}: {received.text}"


def _reported(error: Any) -> NoAnswer:
    """An error that came with status 200."""
    try:
        text = f"status 200 with an error: {error}"
    except RecursionError:
        return Passing("status 200 with an error that is nested too deep")
    code = error.get("code") if isinstance(error, dict) else None
    final = isinstance(code, int) and code not in TRANSIENT
    return NoAnswer(text) if final else Passing(text)


def _passing(error: BaseException) -> bool:
    return isinstance(error, Passing)


def _reached(error: BaseException) -> bool:
    return isinstance(error, Passing) and error.reached


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Passing) else None
    doubled = FIRST_WAIT * 2.0 ** min(state.attempt_number - 1, 16)
    return min(LONGEST_WAIT, doubled if asked is None else asked)


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else max(0.0, float(header))
    except ValueError:
        return None  # a date: our own pause does as well
