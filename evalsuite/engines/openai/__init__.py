"""Models behind a server with OpenAI's endpoints: ``openai:MODEL,base_url=URL``."""

from evalsuite.engines.openai.engine import OpenAIEngine, load

__all__ = ["OpenAIEngine", "load"]
