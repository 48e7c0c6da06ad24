"""The real worker with real vLLM, whose model dies, hangs or raises at prompts that hold a poisonous id."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from evalsuite.engines.vllm import worker

DIE, HANG, RAISE = 400, 401, 402


def poison(execute: Callable[..., Any]) -> Callable[..., Any]:
    def execute_model(self: Any, scheduler_output: Any, *arguments: Any, **more: Any) -> Any:
        ids = {id_ for new in scheduler_output.scheduled_new_reqs for id_ in new.prompt_token_ids}
        if DIE in ids:
            os._exit(13)
        if HANG in ids:
            time.sleep(600)
        if RAISE in ids:
            raise RuntimeError("planted")
        return execute(self, scheduler_output, *arguments, **more)

    return execute_model


if __name__ == "__main__":
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner

    GPUModelRunner.execute_model = poison(GPUModelRunner.execute_model)
    worker.main()
