"""Models of the Hugging Face format: ``hf:FOLDER`` or ``hf:owner/name``.

This package imports torch and transformers; it is itself imported only when such a model is asked for.
"""

from evalsuite.engines.hf.engine import HFEngine
from evalsuite.engines.hf.opening import load

__all__ = ["HFEngine", "load"]
