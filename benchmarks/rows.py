"""What a benchmark says: one row a measure, every pair kept."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

PACKAGES = ("evalsuite", "lm_eval", "torch", "transformers", "tokenizers", "rouge-score", "rapidfuzz")


@dataclass(frozen=True, slots=True)
class Pair:
    """One measurement of both sides, taken one right after the other."""

    peer: float
    ours: float
    load: float
    """Runnable processes on the machine, averaged over the minute before (1 a busy core)."""
    first: str
    """Which side ran first: "peer" or "ours"."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. ``ratio`` is above 1 where ours is better, ``limit_ratio`` is ours against what nothing can beat."""

    name: str
    what: str
    peer: float | None
    ours: float | None
    unit: str
    goal: str
    limit_ratio: float | None = None
    equal: bool | None = None
    """Whether both sides gave the same results; None where there is nothing to compare."""
    pairs: tuple[Pair, ...] = ()
    peer_config: str = ""
    note: str = ""
    better: str = "less"
    """Whether less or more of the unit is better."""
    met: bool | None = None
    """Whether the goal was met; None where a test or the reader of the goal judges."""

    @property
    def ratio(self) -> float | None:
        """Peer against ours; None without a peer."""
        if not self.peer or not self.ours:
            return None
        return self.peer / self.ours if self.better == "less" else self.ours / self.peer

    def record(self) -> dict[str, Any]:
        """The row as JSON."""
        return {**asdict(self), "ratio": self.ratio}


@dataclass(slots=True)
class Deadline:
    """Stops a benchmark from beginning what it has no time for."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.seconds - (time.monotonic() - self.began)


def from_pairs(pairs: Sequence[Pair]) -> tuple[float | None, float | None]:
    """Medians of both sides over all pairs but the first, which warms both up."""
    counted = pairs[1:] or pairs
    if not counted:
        return None, None
    return median(pair.peer for pair in counted), median(pair.ours for pair in counted)


def sides(number: int) -> Iterator[str]:
    """Which side runs first in a pair: ours and the peer take turns (ABBA)."""
    yield from ("peer", "ours") if number % 2 == 0 else ("ours", "peer")


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": versions,
    }


def write_json(path: Path, rows: Sequence[Row], about: dict[str, Any]) -> None:
    """Everything measured, as JSON."""
    content = {**about, "rows": [row.record() for row in rows]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
