"""The worker process: one vLLM engine, asked over a pipe. Run as ``python -m evalsuite.engines.vllm.worker FD``.

vLLM facts this rests on (vLLM 0.32): ``skip_reading_prefix_cache=False`` lets a request with prompt log-probabilities
read the prefix cache; its entries for cached positions are then uninitialised memory, so they count only from the first
computed position on, and must not be detokenized. Log-probabilities are taken before ``allowed_token_ids`` applies, so
a forced token reports the model's own value for it.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from evalsuite.engines.vllm.wire import (
    Answer,
    Ask,
    Beat,
    Broken,
    Choose,
    Follow,
    Generate,
    Ready,
    Refused,
    Start,
    TokenScore,
)

CPU_DEFAULTS = {"enforce_eager": True}
"""Compiling takes half a minute on a CPU and pays back little."""
CPU_KV_SHARE = 0.25
"""Share of the free memory the KV cache gets on a CPU where no size is asked for; vLLM's own default does not start."""
FINISHED = ("stop", "length")
"""Finish reasons that come with a whole answer."""
ENVIRONMENT = {"VLLM_LOGGING_LEVEL": "WARNING", "VLLM_NO_USAGE_STATS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""Set unless the user did. OpenMP threads that spin while they wait make two cores slower than one."""


class VllmLoop:
    """vLLM's engine, driven step by step so that requests come and go while others run."""

    def __init__(self, start: Start) -> None:
        from vllm import LLM

        self._llm = LLM(**_arguments(start))
        self._engine: Any = self._llm.llm_engine
        self._lora = _adapter(start.lora)
        self._open: dict[str, Ask] = {}
        self._spent: dict[int, int] = {}

    @property
    def busy(self) -> bool:
        """Whether a request is unfinished."""
        return bool(self._open)

    def ready(self) -> Ready:
        """Limits of the loaded engine."""
        import vllm

        config = self._engine.vllm_config
        cache = config.cache_config
        model = config.model_config
        return Ready(
            version=vllm.__version__,
            max_model_len=model.max_model_len,
            kv_tokens=(cache.num_gpu_blocks or 0) * cache.block_size,
            block=cache.block_size,
            dtype=str(model.dtype).removeprefix("torch."),
        )

    def add(self, ask: Ask, *, plain: bool = False) -> None:
        """Submits an ask.

        Args:
            ask: what to answer.
            plain: compute the whole prompt, whatever is cached.

        Raises:
            ValueError: vLLM refuses it (too long, empty, an unknown id).
        """
        name = f"{ask.id}{'p' if plain else ''}"
        prompt = {"prompt_token_ids": list(_sent(ask))}
        self._engine.add_request(name, prompt, _sampling(ask, plain=plain), lora_request=self._lora)
        self._open[name] = ask

    def step(self) -> Iterator[Answer | Refused]:
        """Runs one step of the engine and gives what it finished."""
        for output in self._engine.step():
            if output.finished:
                # vLLM appends a random suffix to the id it was given.
                name = output.request_id.split("-", 1)[0]
                yield from self._finished(name, output)

    def close(self) -> None:
        """Ends vLLM's own processes, where it has any."""
        self._engine.engine_core.shutdown()

    def _finished(self, name: str, output: Any) -> Iterator[Answer | Refused]:
        ask = self._open.pop(name)
        if output.outputs[0].finish_reason not in FINISHED:
            yield Refused(ask.id, f"vLLM ended it with {output.outputs[0].finish_reason!r}")
            return
        cached = output.num_cached_tokens or 0
        computed = len(_sent(ask)) - cached + self._spent.pop(ask.id, 0)
        if isinstance(ask, Follow) and cached > len(ask.prompt) - 1:
            # The option's first tokens were cached as well: what is reported for them is uninitialised memory.
            self._spent[ask.id] = computed
            self.add(ask, plain=True)
            return
        yield _answer(ask, output, cached, computed)


def serve(connection: Connection) -> None:
    """Loads the engine the first message describes, then answers until the other end closes."""
    try:
        loop = VllmLoop(connection.recv())
        connection.send(loop.ready())
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):
            _answer_all(connection, loop)
        loop.close()
    except Exception as error:  # noqa: BLE001 - whatever the engine raised, it is not to be trusted any more
        connection.send(Broken(_reason(error), traceback.format_exc()))


def _answer_all(connection: Connection, loop: VllmLoop) -> None:
    while True:
        _take(connection, loop)
        for report in loop.step():
            connection.send(report)
        connection.send(Beat())


def _take(connection: Connection, loop: VllmLoop) -> None:
    """Submits what has arrived; waits for something when there is nothing to do."""
    while not loop.busy or connection.poll():
        ask: Ask = connection.recv()
        try:
            loop.add(ask)
        except ValueError as error:
            connection.send(Refused(ask.id, _reason(error)))


def _sent(ask: Ask) -> Sequence[int]:
    """The ids that are computed: an option's last token is produced by force, so it needs no room of its own."""
    return (*ask.prompt, *ask.option[:-1]) if isinstance(ask, Follow) else ask.prompt


def _sampling(ask: Ask, *, plain: bool) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    shared: dict[str, Any] = {"temperature": 0.0, "output_kind": RequestOutputKind.FINAL_ONLY}
    match ask:
        case Generate(max_tokens=most, stop=stop, end_ids=ends):
            words = {"stop": list(stop)} if stop else {"detokenize": False}
            return SamplingParams(max_tokens=most, stop_token_ids=list(ends), **words, **shared)
        case Choose(labels=labels):
            return SamplingParams(max_tokens=1, logprob_token_ids=list(labels), detokenize=False, **shared)
        case Follow(option=option):
            rows = {"prompt_logprobs": 1} if len(option) > 1 else {}
            forced = {"allowed_token_ids": [option[-1]], "logprobs": 1}
            cache = {"skip_reading_prefix_cache": plain, "detokenize": False}
            return SamplingParams(max_tokens=1, **rows, **forced, **cache, **shared)


def _answer(ask: Ask, output: Any, cached: int, computed: int) -> Answer:
    made = output.outputs[0]
    match ask:
        case Generate():
            tokens = tuple(made.token_ids)
            return Answer(ask.id, cached, computed, tokens, _finish(made.finish_reason, made.stop_reason))
        case Choose(labels=labels):
            row = made.logprobs[0]
            scores = tuple(TokenScore(row[label].logprob, made.token_ids[0] == label) for label in labels)
        case Follow(option=option):
            # Counted from the end: a runner may leave out the rows it did not compute.
            rows = [*output.prompt_logprobs[1 - len(option) :]] if len(option) > 1 else []
            scores = tuple(_score(row[id_]) for row, id_ in zip([*rows, made.logprobs[0]], option, strict=True))
    return Answer(ask.id, cached, computed, scores=scores)


def _score(entry: Any) -> TokenScore:
    return TokenScore(float(entry.logprob), entry.rank == 1)


def _finish(reason: str | None, stop: int | str | None) -> Any:
    """Why it ended: vLLM says "stop" for a stop string (named), an end id (named) and the model's own end (unnamed)."""
    if reason == "stop":
        return "stop" if isinstance(stop, str) else "eos"
    return "length" if reason == "length" else None


def _adapter(folder: str | None) -> Any:
    if folder is None:
        return None
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, folder)


def _arguments(start: Start) -> dict[str, Any]:
    """``LLM``'s arguments, with what a machine without a GPU needs to start at all."""
    from vllm.platforms import current_platform

    arguments = dict(start.arguments)
    if start.lora is not None:
        arguments["enable_lora"] = True
    if not current_platform.is_cpu():
        return arguments
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    sized = {"kv_cache_memory_bytes", "gpu_memory_utilization"} & arguments.keys()
    if not sized and "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
        arguments["kv_cache_memory_bytes"] = int(_free_memory() * CPU_KV_SHARE)
    return {**CPU_DEFAULTS, **arguments}


def _free_memory() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1].strip()}" if lines else type(error).__name__


def main() -> None:
    """Serves the pipe whose descriptor is the first argument; what vLLM prints goes to the error stream."""
    os.dup2(2, 1)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    serve(Connection(int(sys.argv[1])))
    sys.stderr.flush()
    # Taking the interpreter with all its threads apart would take seconds more.
    os._exit(0)


if __name__ == "__main__":
    main()
