"""``openai:MODEL``: any server with OpenAI's completions or chat endpoint, over HTTP.

A completions endpoint gets token ids where it takes them, so it reads exactly the prompt that was measured; chat
endpoints get the prompt's text as one user message and apply their own template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from evalsuite.engines.openai.ask import Asker, Mode
from evalsuite.engines.openai.http import Client, NoAnswer, Passing
from evalsuite.engines.openai.options import Options, options
from evalsuite.engines.openai.probe import Served, probe
from evalsuite.engines.openai.purse import purse
from evalsuite.engines.openai.reply import Usage
from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer
from evalsuite.records import EngineInfo
from evalsuite.tokenizers import load_tokenizer
from evalsuite.types import Completion, Request

UNREACHED = 5
"""Requests in a row that found no server, after which a run stops instead of failing the rest of its samples."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request."""

    completion: Completion
    usages: tuple[Usage, ...] = ()
    reached: bool = True


class OpenAIEngine:
    """An engine that asks a server, several requests at a time.

    Attributes:
        tokenizer: as given; prompts are measured and cut with it.
        info: the served model, its limit, and notes on what the server could not do.
        purse: what was spent, and the tokens the server counted.
    """

    def __init__(self, chosen: Options, client: Client, served: Served, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.purse = purse(chosen)
        self._options, self._client = chosen, client
        self._asker = Asker(chosen, client, served.mode, tokenizer)
        self.info = EngineInfo(
            scheme="openai",
            version=served.software,
            model=served.identity,
            max_model_len=served.max_model_len,
            max_model_len_source=served.max_model_len_source,
            tokenizer=getattr(tokenizer, "hash", ""),
            notes=served.notes,
        )

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Answers requests in the order of their documents, ``concurrency`` at a time.

        It ends early, leaving requests unasked, when the next one could cost more than is allowed.

        Raises:
            UsageError: the server refuses the key, is gone, or cannot do what is asked at all.
        """
        pool = ThreadPoolExecutor(self._options.concurrency)
        running: dict[Future[Outcome], Request] = {}
        silent = 0
        try:
            for outcome in self._outcomes(pool, running, groups):
                silent = 0 if outcome.reached else silent + 1
                if silent >= UNREACHED:
                    raise UsageError(f"{outcome.completion.error}; the run can be resumed when the server is back")
                yield outcome.completion
        finally:
            if running:
                self._client.stop()
            pool.shutdown(cancel_futures=True)

    @property
    def cost(self) -> float | None:
        """What was spent so far, in the currency of the prices; None without prices."""
        return self.purse.spent if self._options.priced else None

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _outcomes(
        self, pool: ThreadPoolExecutor, running: dict[Future[Outcome], Request], groups: Iterable[Sequence[Request]]
    ) -> Iterator[Outcome]:
        for request in (request for group in groups for request in group):
            while len(running) >= self._options.concurrency:
                yield from self._settled(running)
            while not self.purse.reserve(request):
                # What others under way reserved may come back.
                if not running:
                    self._note(f"stopped at the maximum cost of {self.purse.most:g}: {self.purse.spent:.6g} spent")
                    return
                yield from self._settled(running)
            running[pool.submit(self._answer, request)] = request
        while running:
            yield from self._settled(running)

    def _settled(self, running: dict[Future[Outcome], Request]) -> Iterator[Outcome]:
        """Waits for at least one request and gives what is done."""
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            request = running.pop(future)
            outcome = future.result()
            self.purse.settle(request, outcome.usages)
            yield outcome

    def _answer(self, request: Request) -> Outcome:
        limit = self.info.max_model_len
        answer = request.answer_tokens
        if limit is not None and len(request.prompt) + answer > limit:
            tokens = f"{len(request.prompt)} prompt tokens and {answer} for the answer"
            return Outcome(_failed(request, f"{tokens} are more than the {limit} the server takes"))
        counted: list[Usage] = []
        try:
            return Outcome(self._asker.ask(request, counted), tuple(counted))
        except NoAnswer as trouble:
            reached = trouble.reached if isinstance(trouble, Passing) else True
            return Outcome(_failed(request, str(trouble)), tuple(counted), reached)

    def _note(self, text: str) -> None:
        self.info = replace(self.info, notes=(*self.info.notes, text))


def _failed(request: Request, reason: str) -> Completion:
    return Completion(key=request.key, error=reason)


def load(name: str, options_given: Mapping[str, str], *, max_model_len: int | None = None) -> OpenAIEngine:
    """Opens a server's model.

    Args:
        name: the model's id as the server lists it.
        options_given: see ``docs/engines.md``.
        max_model_len: tokens of prompt plus answer; the server's own limit is obeyed where it is smaller.

    Raises:
        UsageError: a wrong option, no server, a refused key, or a model the server does not have.
    """
    chosen = options(name, options_given)
    tokenizer = load_tokenizer(chosen.tokenizer)
    client = Client(chosen)
    try:
        served = probe(chosen, client, tokenizer, max_model_len)
    except BaseException:
        client.close()
        raise
    return OpenAIEngine(chosen, client, served, tokenizer)


__all__ = ["Mode", "OpenAIEngine", "load"]
