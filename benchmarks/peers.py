"""lm-eval's own Hugging Face class, asked the same requests, at its best and with its caches on."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from evalsuite.types import Request

NAME = "lm-eval HFLM"
BATCHES = (1, 8, "auto")


class Peer:
    """One loaded ``lm_eval.models.huggingface.HFLM``."""

    def __init__(self, folder: str, *, batch: int | str = 1, dtype: str = "float32", max_length: int = 1 << 16) -> None:
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        from lm_eval.models.huggingface import HFLM

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
        asked = [
            ((request.key, str(number)), list(request.prompt), list(option))
            for request in requests
            for number, option in enumerate(request.options)
        ]
        found = iter(self.lm._loglikelihood_tokens(asked, disable_tqdm=True))  # noqa: SLF001  # takes ids, as we do
        return [[next(found) for _ in request.options] for request in requests]

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
        """Sets the fastest of its batch sizes on some requests and says how they did."""
        taken: dict[int | str, float] = {}
        for batch in BATCHES[:2] if quick else BATCHES:
            self.use_batch(batch)
            began = time.perf_counter()
            self.options(requests)
            taken[batch] = time.perf_counter() - began
        self.use_batch(min(taken, key=lambda batch: taken[batch]))
        tried = ", ".join(f"{batch}: {seconds:.2f} s" for batch, seconds in taken.items())
        return f"batch {self.batch} (tried {tried}), logits_cache on"


def peer_tokens(requests: Sequence[Request]) -> int:
    """Tokens its log-likelihood passes through the model, without padding (batch 1).

    One pass for each distinct context with all but the last token of an option
    (lm_eval/models/huggingface.py@0.4.13, `_loglikelihood_tokens`, `_lookup_one_token_cont`).
    """
    passes = {(*request.prompt, *option[:-1]) for request in requests for option in request.options}
    return sum(map(len, passes))
