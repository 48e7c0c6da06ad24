"""The worker process as the engine sees it: started, asked, watched, and ended for good when it misbehaves."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe

from evalsuite.engines.vllm.wire import Ask, Beat, Broken, Ready, Report, Start

COMMAND = (sys.executable, "-m", "evalsuite.engines.vllm.worker")
START_LIMIT = 1800.0
"""Seconds a model may take to load."""
FAREWELL = 10.0
"""Seconds a worker gets to end by itself."""


class EngineBroken(Exception):  # noqa: N818 - it says what happened to the engine, it is no fault of the caller
    """The engine died, hung or raised; everything unanswered must be asked of a new one."""


class Worker:
    """One worker process. It is spent once `reports` raises."""

    def __init__(self, start: Start, *, watchdog: float, command: Sequence[str] = COMMAND) -> None:
        """Starts the process and waits until the model is loaded.

        Raises:
            EngineBroken: the model did not load.
        """
        self._watchdog = watchdog
        self._pipe, theirs = Pipe()
        with theirs:
            handle = theirs.fileno()
            # A session of its own: a terminal's Ctrl-C must not reach it, and its own children die with it.
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [*command, str(handle)], pass_fds=[handle], start_new_session=True, env=_environment()
            )
        self._outbox: queue.SimpleQueue[Ask | Start | None] = queue.SimpleQueue()
        # A worker that does not read would block a sender for ever; only this thread may be blocked.
        threading.Thread(target=self._post, daemon=True).start()
        self._outbox.put(start)
        self.ready = self._loaded()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ask(self, ask: Ask) -> None:
        """Hands over an ask; never waits."""
        self._outbox.put(ask)

    def report(self) -> Report:
        """The next thing the worker says; beats are swallowed.

        Raises:
            EngineBroken: it died, raised, or did not end a step within the watchdog's time.
        """
        while isinstance(said := self._receive(self._watchdog), Beat):
            pass
        if isinstance(said, Broken):
            self.kill()
            raise EngineBroken(said.reason)
        return said

    def kill(self) -> None:
        """Ends the process and all it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._outbox.put(None)
        self._pipe.close()

    def close(self) -> None:
        """Lets the process end by itself, and ends it if it does not."""
        self._outbox.put(None)
        with suppress(OSError):
            self._pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(FAREWELL)
        self.kill()

    def _loaded(self) -> Ready:
        said = self._receive(START_LIMIT)
        if isinstance(said, Ready):
            return said
        self.kill()
        raise EngineBroken(said.reason if isinstance(said, Broken) else f"said {said!r} instead of being ready")

    def _receive(self, limit: float) -> Report:
        try:
            if self._pipe.poll(limit):
                said: Report = self._pipe.recv()
                return said
            self.kill()
            raise EngineBroken(f"no step ended within {limit:.0f} seconds")
        except (EOFError, OSError) as error:
            self.kill()
            raise EngineBroken(f"the engine's process ended ({_ending(self._process.returncode)})") from error

    def _post(self) -> None:
        for message in iter(self._outbox.get, None):
            try:
                self._pipe.send(message)
            except (OSError, ValueError):
                return  # the reader's side tells what happened to the process


def _environment() -> dict[str, str]:
    """Ours, with our package importable in the worker however it is here."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(_paths())}


def _paths() -> Iterator[str]:
    yield from (path for path in sys.path if path)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
