"""Models of the Hugging Face format: ``hf:FOLDER`` or ``hf:owner/name``.

This package imports torch and transformers; it is itself imported only when such a model is asked for.
"""

import os

# Read by OpenMP when torch is imported: threads that spin while they wait make a small machine two to five times
# slower. A user's own setting stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from evalsuite.engines.hf.engine import HFEngine
from evalsuite.engines.hf.opening import load
from evalsuite.engines.hf.prompt_side import prompt_side

__all__ = ["HFEngine", "load", "prompt_side"]
