"""The command line with a scripted model that takes its time, so that a test can end it in the middle.

``python slow_run.py SECONDS run --model scripted:first-words ...``
"""

from __future__ import annotations

import sys
import time

from evalsuite.cli.main import main
from evalsuite.engines import scripted


def slow(seconds: float) -> None:
    """Makes ``first-words`` slow; its name and so its identity stay."""
    quick = scripted.SCRIPTS["first-words"]

    def answer(prompt: str) -> str:
        time.sleep(seconds)
        return quick(prompt)

    scripted.SCRIPTS = {**scripted.SCRIPTS, "first-words": answer}


if __name__ == "__main__":
    slow(float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
