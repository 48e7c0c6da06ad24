"""``vllm:PATH``: vLLM in a process of our own, on token ids, reading each document once.

A sample that makes vLLM raise, hang or die fails alone: the engine is started again and what was in flight is asked
in halves until the culprit stands by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from evalsuite.engines.vllm.admission import Admission
from evalsuite.engines.vllm.options import Settings, settings
from evalsuite.engines.vllm.process import COMMAND, EngineBroken, Worker
from evalsuite.engines.vllm.talk import Talk, failure
from evalsuite.engines.vllm.wire import Answer, Ask, Generate, Refused
from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.records import EngineInfo
from evalsuite.types import Completion, Request


class VllmEngine:
    """An engine whose model lives in a worker process.

    Attributes:
        tokenizer: the model's own.
        info: identity and limits; its notes say when the engine had to be started again.
        computed_tokens: prompt and option tokens vLLM computed so far, those it found in its cache left out.
    """

    def __init__(self, chosen: Settings, tokenizer: Tokenizer, *, command: Sequence[str] = COMMAND) -> None:
        """Loads the model.

        Raises:
            UsageError: vLLM cannot load it; the line says why.
        """
        self.tokenizer = tokenizer
        self._settings, self._command = chosen, command
        self._worker: Worker | None = None
        self._asked = 0
        self.computed_tokens = 0
        ready = self._alive(f"vLLM cannot load {chosen.name}").ready
        self._limit, self._capacity, self._block = ready.max_model_len, ready.kv_tokens, ready.block
        self.info = EngineInfo(
            scheme="vllm",
            version=ready.version,
            model=chosen.identity(ready.dtype),
            max_model_len=ready.max_model_len,
            max_model_len_source=chosen.max_model_len_source,
            tokenizer=getattr(tokenizer, "hash", ""),
        )

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        return None if self._worker is None else self._worker.pid

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers every request, as many at a time as the KV cache holds, one document's together."""
        return self._work(Admission(groups, self._capacity, self._block))

    def close(self) -> None:
        """Ends the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _work(self, admission: Admission) -> Iterator[Completion]:
        """Answers all of them, over as many engines as that takes."""
        while True:
            try:
                yield from self._serve(admission)
            except EngineBroken as fault:
                self._note(f"vLLM broke and was started again: {fault}")
                yield from self._isolate(admission.take_flight())
            else:
                return

    def _isolate(self, suspects: list[Request]) -> Iterator[Completion]:
        """Asks again those that were in an engine when it broke, in ever smaller company."""
        if len(suspects) == 1:
            yield from self._alone(suspects[0])
            return
        middle = len(suspects) // 2
        for half in (suspects[:middle], suspects[middle:]):
            yield from self._isolate(half) if len(half) == 1 else self._work(self._only(half))

    def _alone(self, request: Request) -> Iterator[Completion]:
        try:
            yield from self._serve(self._only([request]))
        except EngineBroken as fault:
            yield failure(request, f"vLLM broke on this request alone: {fault}")

    def _only(self, requests: Sequence[Request]) -> Admission:
        return Admission([requests], self._capacity, self._block)

    def _serve(self, admission: Admission) -> Iterator[Completion]:
        """Answers with one engine.

        Raises:
            EngineBroken: it broke; what it still owes is in the admission's flight.
        """
        talks: dict[int, Talk] = {}
        while True:
            for request in admission.admit():
                if reason := self._misfit(request):
                    admission.done(request.key)
                    yield failure(request, reason)
                else:
                    self._open(request, talks)
            if not admission.flight:
                return
            said = self._hear()
            talk = talks.pop(said.id, None)
            reply = None if talk is None else talk.hear(said)
            if talk is not None and isinstance(reply, Generate):
                self._ask(talk, reply, talks)
            elif isinstance(reply, Completion) and reply.key in admission.flight:
                admission.done(reply.key)
                yield reply

    def _open(self, request: Request, talks: dict[int, Talk]) -> None:
        talk = Talk(request, self._asked, self.tokenizer)
        self._asked += len(talk.asks)
        for ask in talk.asks:
            self._ask(talk, ask, talks)

    def _ask(self, talk: Talk, ask: Ask, talks: dict[int, Talk]) -> None:
        talks[ask.id] = talk
        self._alive().ask(ask)

    def _hear(self) -> Answer | Refused:
        worker = self._alive()
        while True:
            try:
                said = worker.report()
            except EngineBroken:
                self._worker = None
                raise
            if isinstance(said, Answer):
                self.computed_tokens += said.computed
            if isinstance(said, Answer | Refused):
                return said

    def _misfit(self, request: Request) -> str | None:
        """Why vLLM would refuse the request, or stop its answer short; None when it fits."""
        answer = request.answer_tokens
        if len(request.prompt) + answer > self._limit:
            room = f"{len(request.prompt)} prompt tokens and {answer} for the answer"
            return f"{room} are more than the {self._limit} the engine takes"
        if request.options and not any(request.options):
            return "none of its options has a token"
        return None

    def _alive(self, trouble: str = "vLLM broke and cannot be started again; the run can be resumed") -> Worker:
        if self._worker is None:
            try:
                self._worker = Worker(self._settings.start, watchdog=self._settings.watchdog, command=self._command)
            except EngineBroken as fault:
                raise UsageError(f"{trouble}: {fault}") from fault
        return self._worker

    def _note(self, text: str) -> None:
        if text not in self.info.notes:
            self.info = replace(self.info, notes=(*self.info.notes, text))


def load(name: str, options: Mapping[str, str], *, max_model_len: int | None = None) -> VllmEngine:
    """Opens vLLM with the model of a folder or hub id.

    Args:
        name: folder or Hugging Face model id.
        options: see ``docs/engines.md``.
        max_model_len: tokens of prompt plus answer; None takes the model's own.

    Raises:
        UsageError: vLLM is not installed, an unknown or malformed option, or a model it cannot load.
    """
    chosen = settings(name, options, max_model_len)
    return VllmEngine(chosen, chosen.load_tokenizer())
