"""A worker that speaks vLLM's part without vLLM: it answers, and breaks on request. Run with a pipe's descriptor.

A prompt that holds POISON ids makes it die, hang or raise when the prompt is worked on.
"""

from __future__ import annotations

import math
import os
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from evalsuite.engines.vllm.wire import Answer, Ask, Beat, Broken, Choose, Generate, Ready, Refused, Report, TokenScore

DIE, HANG, RAISE, REFUSE, DIE_ONCE = 900, 901, 902, 903, 904
NAN, MINUS_INFINITY, NO_TOKEN = 905, 906, 907
"""In a prompt: log-probabilities that are none, and a generated id that is none."""


def work(ask: Ask, connection: Connection) -> Report:
    if DIE in ask.prompt:
        os._exit(13)
    if HANG in ask.prompt:
        time.sleep(60)
    if RAISE in ask.prompt:
        connection.send(Broken("RuntimeError: planted"))
        sys.exit()
    if REFUSE in ask.prompt:
        return Refused(ask.id, "planted")
    if DIE_ONCE in ask.prompt and not Path(sys.argv[2]).exists():
        Path(sys.argv[2]).touch()
        os._exit(14)
    if isinstance(ask, Generate):
        token = -1 if NO_TOKEN in ask.prompt else ask.prompt[-1]
        return Answer(ask.id, 0, len(ask.prompt), tokens=(token,), finish="eos")
    scored = ask.labels if isinstance(ask, Choose) else ask.option
    return Answer(ask.id, 0, len(ask.prompt), scores=tuple(TokenScore(_logprob(ask, t), t == 1) for t in scored))


def _logprob(ask: Ask, token: int) -> float:
    return math.nan if NAN in ask.prompt else -math.inf if MINUS_INFINITY in ask.prompt else -float(token)


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    start = connection.recv()
    if start.arguments.get("model") == "broken":
        connection.send(Broken("ValueError: planted: no such weights"))
        return
    connection.send(Ready("pretend", 64, start.arguments.get("kv", 1024), 16, "float32"))
    waiting = []
    while True:
        # Like the real one it works on everything that has arrived, one step at a time.
        while not waiting or connection.poll(0.01):
            waiting.append(connection.recv())
        # The poisonous one takes the others down with it, wherever it stands in the batch.
        waiting.sort(key=lambda ask: max(ask.prompt) < DIE)
        connection.send(work(waiting.pop(0), connection))
        connection.send(Beat())


if __name__ == "__main__":
    with suppress(EOFError):
        main()
