"""lm-eval's own Hugging Face class, asked the same requests, at its best and with its caches on.

``python -m benchmarks.peers FOLDER`` reads the requests' ids from standard input and prints how long its automatic
batch size takes. That is tried in a process of its own: it starts at 64 rows and halves them when memory runs out,
which on a CPU would end the process that asks.
"""

from __future__ import annotations

import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

from evalsuite.types import Request

Asked: TypeAlias = tuple[Sequence[int], Sequence[Sequence[int]]]
"""A prompt and its options."""
NAME = "lm-eval HFLM"
BATCHES = (1, 8)
AUTO_LIMIT = 90.0
"""Seconds its automatic batch size may take where the others take a few."""


class Peer:
    """One loaded ``lm_eval.models.huggingface.HFLM``."""

    def __init__(self, folder: str, *, batch: int | str = 1, dtype: str = "float32", max_length: int = 1 << 16) -> None:
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        from lm_eval.models.huggingface import HFLM

        self.folder = folder
        self.batch = batch
        self.lm: Any = HFLM(
            pretrained=folder, device="cpu", dtype=dtype, batch_size=batch, max_length=max_length, logits_cache=True
        )

    def use_batch(self, batch: int | str) -> None:
        """Another batch size for the same model."""
        self.batch = batch
        self.lm.batch_size_per_gpu = batch

    def options(self, requests: Sequence[Request]) -> list[list[tuple[float, bool]]]:
        """Log-likelihood and greediness of every option, from the same token ids."""
        return self.score(_ids(requests))

    def score(self, asked: Sequence[Asked]) -> list[list[tuple[float, bool]]]:
        """The same, of prompts with their options as ids."""
        flat = [(("", ""), list(prompt), list(option)) for prompt, options in asked for option in options]
        found = iter(self.lm._loglikelihood_tokens(flat, disable_tqdm=True))  # noqa: SLF001  # takes ids, as we do
        return [[next(found) for _ in options] for _, options in asked]

    def generate(self, prompts: Sequence[str], new_tokens: int) -> list[str]:
        """Greedy continuations; the prompts are texts because it takes no ids."""
        from lm_eval.api.instance import Instance

        settings = {"until": [], "max_gen_toks": new_tokens, "do_sample": False}
        asked = [
            Instance("generate_until", {}, (prompt, settings), number, ("benchmark", number, 1))
            for number, prompt in enumerate(prompts)
        ]
        return list(self.lm.generate_until(asked, disable_tqdm=True))

    def rolling(self, ids: Sequence[int]) -> float:
        """Log-likelihood of a running text, given the first token."""
        asked = [((None, ""), list(ids[:1]), list(ids[1:]))]
        return float(self.lm._loglikelihood_tokens(asked, disable_tqdm=True)[0][0])  # noqa: SLF001  # same

    def best_batch(self, requests: Sequence[Request], *, quick: bool) -> str:
        """Sets the fastest of its batch sizes on some requests and says how they did; auto is not tried quickly."""
        taken: dict[int | str, float] = {}
        for batch in BATCHES:
            self.use_batch(batch)
            began = time.perf_counter()
            self.options(requests)
            taken[batch] = time.perf_counter() - began
        tried = [f"{batch}: {seconds:.2f} s" for batch, seconds in taken.items()]
        if not quick:
            auto = automatic(self.folder, requests)
            tried.append("auto: " + (f"over {AUTO_LIMIT:.0f} s" if auto is None else f"{auto:.2f} s"))
            taken["auto"] = AUTO_LIMIT if auto is None else auto
        self.use_batch(min(taken, key=lambda batch: taken[batch]))
        return f"batch {self.batch} (tried {', '.join(tried)}), logits_cache on"


def automatic(folder: str, requests: Sequence[Request]) -> float | None:
    """Seconds of the automatic batch size, loading left out; None where it does not end in time."""
    command = [sys.executable, "-m", "benchmarks.peers", folder]
    try:
        done = subprocess.run(  # noqa: S603  # our own module
            command, input=json.dumps(_ids(requests)), capture_output=True, text=True, check=False, timeout=AUTO_LIMIT
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])


def main(folder: str) -> None:
    """Times the automatic batch size within the memory that is free, so that it is told when it asks for too much."""
    import torch

    from evalsuite.engines.hf.compute.memory import free_bytes

    free = free_bytes(torch.device("cpu"))
    resource.setrlimit(resource.RLIMIT_AS, (free, free))
    peer, asked = Peer(folder, batch="auto"), json.load(sys.stdin)
    began = time.perf_counter()
    peer.score(asked)
    print(time.perf_counter() - began)


def _ids(requests: Sequence[Request]) -> list[Asked]:
    return [(request.prompt, request.options) for request in requests]


def peer_tokens(requests: Sequence[Request]) -> int:
    """Tokens its log-likelihood passes through the model, without padding (batch 1).

    One pass for each distinct context with all but the last token of an option
    (lm_eval/models/huggingface.py@0.4.13, `_loglikelihood_tokens`, `_lookup_one_token_cont`).
    """
    passes = {(*request.prompt, *option[:-1]) for request in requests for option in request.options}
    return sum(map(len, passes))


if __name__ == "__main__":
    main(*sys.argv[1:])
