"""Prepares the next groups while the model works on the current one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Self, TypeVar, cast

T = TypeVar("T")
_END = object()


class Prefetch(Iterator[T]):
    """The same items. A thread makes up to ``ahead`` of them in advance; it starts at once.

    An error is raised in place of its item. Use it as a context manager: its end stops the thread.
    """

    def __init__(self, items: Iterable[T], ahead: int) -> None:
        self._ready: queue.Queue[object] = queue.Queue(maxsize=ahead)
        self._stop = threading.Event()
        asked = (iter(items), self._ready, self._stop)
        self._worker = threading.Thread(target=_fill, args=asked, daemon=True, name="evalsuite-prefetch")
        self._worker.start()
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._worker.join()

    def __next__(self) -> T:
        item = _END if self._ended else self._ready.get()
        if item is _END or isinstance(item, _Failure):
            self._ended = True
            raise item.error if isinstance(item, _Failure) else StopIteration
        return cast("T", item)


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _fill(items: Iterator[object], ready: queue.Queue[object], stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put(ready, item, stop):
                return
        _put(ready, _END, stop)
    except BaseException as error:  # noqa: BLE001 - carried over to the thread that waits for it
        _put(ready, _Failure(error), stop)


def _put(ready: queue.Queue[object], item: object, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
