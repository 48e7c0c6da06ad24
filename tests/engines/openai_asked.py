"""Requests of the tests of the OpenAI engine, and the key they must never see again."""

from __future__ import annotations

from typing import Any

from engine_requests import request

from evalsuite.engines.openai import OpenAIEngine
from evalsuite.types import Completion, Request

CANARY = "sk-canary-1b9f"


def asked(number: int = 0, **more: Any) -> Request:
    return request([0, 40, 41 + number, 42 + number], key=f"r{number}", **more)


def answers(engine: OpenAIEngine, *requests: Request) -> dict[str, Completion]:
    return {completion.key: completion for completion in engine.complete([requests])}
