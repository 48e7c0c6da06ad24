"""Models that vLLM runs, in a process of their own: ``vllm:FOLDER`` or ``vllm:owner/name``."""

from evalsuite.engines.vllm.engine import VllmEngine, load

__all__ = ["VllmEngine", "load"]
