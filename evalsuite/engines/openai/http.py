"""Asking an HTTP server until it answers: what is worth another try, what is not, and what is no answer at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
)

from evalsuite.engines.openai.options import Options
from evalsuite.errors import UsageError

T = TypeVar("T")

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
LONGEST_WAIT = 60.0
FIRST_WAIT = 0.5
MOST_SHOWN = 300
"""Characters of a server's message that go into an error."""


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
    """A server's base address, with retries. Safe to use from several threads."""

    def __init__(self, chosen: Options) -> None:
        self._options = chosen
        # Loading certificates takes longer than a local server does to answer; plain http needs none.
        secure = chosen.base_url.startswith("https:")
        self._http = httpx.Client(timeout=chosen.timeout, headers=_headers(chosen.key), verify=secure)
        self._stopped = threading.Event()

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at a path.

        Raises:
            NoAnswer: there is none.
            UsageError: the server refuses the key.
        """
        return self._json(self._send("GET", path, None))

    def post(self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> T:
        """The answer to a request, tried again after 429, 5xx, time-outs, and answers that are none.

        Args:
            path: below the base address.
            body: the JSON object to send.
            read: takes the answer out of the JSON object that came back; raises NoAnswer where it holds none.

        Raises:
            NoAnswer: all tries failed, or the server says it will never answer this.
            UsageError: the server refuses the key, or knows no such model or path.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(Passing),
            stop=stop_any(stop_after_attempt(self._options.attempts), stop_when_event_set(self._stopped)),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(lambda: read(self._json(self._send("POST", path, body))))

    def stop(self) -> None:
        """Ends all waiting for another try."""
        self._stopped.set()

    def close(self) -> None:
        """Stops, and closes the connections."""
        self.stop()
        self._http.close()

    def _sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        url = f"{self._options.base_url}{path}"
        try:
            return self._http.request(method, url, json=body)
        except httpx.TimeoutException:
            raise Passing(f"no answer within {self._options.timeout:g} seconds") from None
        except httpx.ConnectError as error:
            raise Passing(f"{url} cannot be reached: {self._shown(str(error))}", reached=False) from None
        except httpx.HTTPError as error:
            raise Passing(f"half an answer: {self._shown(str(error))}") from None

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        if response.status_code in {401, 403}:
            raise UsageError(f"the server refuses the key in {self._options.key_env} (status {response.status_code})")
        if response.status_code in TRANSIENT:
            raise Passing(self._told(response), after=_seconds(response.headers.get("retry-after")))
        if response.status_code != httpx.codes.OK:
            raise NoAnswer(self._told(response))
        try:
            body = response.json()
        except ValueError:
            raise Passing(f"status 200 with something that is no JSON: {self._shown(response.text)!r}") from None
        if not isinstance(body, dict):
            raise Passing(f"status 200 with something that is no answer: {self._shown(response.text)!r}")
        if body.get("error"):
            raise self._reported(body["error"])
        return body

    def _told(self, response: httpx.Response) -> str:
        return f"status {response.status_code}: {self._shown(response.text)}"

    def _reported(self, error: Any) -> NoAnswer:
        """An error that came with status 200."""
        text = f"status 200 with an error: {self._shown(str(error))}"
        code = error.get("code") if isinstance(error, dict) else None
        final = isinstance(code, int) and code not in TRANSIENT
        return NoAnswer(text) if final else Passing(text)

    def _shown(self, text: str) -> str:
        """A server's words, shortened, and never the key, should it repeat that."""
        key = self._options.key
        return (text.replace(key, "***") if key else text).strip()[:MOST_SHOWN]


def _headers(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Passing) else None
    doubled = FIRST_WAIT * 2.0 ** (state.attempt_number - 1)
    return min(LONGEST_WAIT, doubled if asked is None else asked)


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else max(0.0, float(header))
    except ValueError:
        return None  # a date: our own pause does as well
