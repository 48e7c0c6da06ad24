"""Peak memory above the loaded model, each measurement in a fresh process.

``python -m benchmarks.memory SIDE KIND FOLDER LENGTH DTYPE`` prints one JSON line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.models import WIDE, make_model
from benchmarks.peers import NAME
from benchmarks.rows import Row

OPTIONS = 4
OPTION_TOKENS = 6


@dataclass(frozen=True, slots=True)
class Case:
    """One measure of memory."""

    name: str
    kind: str
    vocabulary: int
    length: int
    dtype: str
    goal: str


def cases(*, quick: bool) -> tuple[Case, ...]:
    """What is measured; the quick form takes a quarter of the lengths, which its row says."""
    part = 4 if quick else 1
    return (
        Case("ll_memory_128k", "options", 128_000, 16384 // part, "bfloat16", "ratio 40"),
        Case("ll_memory_32k", "options", 32_000, 16384 // part, "float32", "ratio 10"),
        Case("rolling_memory", "rolling", 32_000, 32768 // part, "float32", "ratio 15, time at most 1.1"),
    )


def memory_rows(*, quick: bool, text: str) -> Iterator[Row]:
    """Runs every case for both sides."""
    for case in cases(quick=quick):
        with tempfile.TemporaryDirectory() as scratch:
            folder = make_model(
                Path(scratch), [text[:500_000]], sizes=WIDE, vocabulary=case.vocabulary, dtype=case.dtype
            )
            peer, ours = (_measure(side, case, folder) for side in ("peer", "ours"))
        agree = abs(peer["value"] - ours["value"]) <= tolerance(case, ours["value"])
        yield Row(
            name=case.name,
            what=f"extra memory, {case.kind}, {case.length} tokens, vocabulary {case.vocabulary}, {case.dtype}",
            peer=peer["mebibytes"],
            ours=ours["mebibytes"],
            unit="MiB",
            goal=case.goal,
            equal=agree,
            peer_config=f"{NAME}, batch 1",
            note=f"seconds: peer {peer['seconds']:.1f}, ours {ours['seconds']:.1f}; one run each",
        )


def tolerance(case: Case, value: float) -> float:
    """Rounding of a summed log-likelihood: lm-eval takes bfloat16 logits through a bfloat16 log-softmax."""
    return abs(value) * (2e-2 if case.dtype == "bfloat16" else 1e-5) + 1e-3


def _measure(side: str, case: Case, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory", side, case.kind, str(folder), str(case.length), case.dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: Sequence[str]) -> None:
    """Measures one side of one case in this process."""
    side, kind, folder, length, dtype = arguments
    ids = list(range(1, int(length) + 1))
    ids = [id_ * 7919 % 7000 + 1 for id_ in ids]
    compute = (_peer if side == "peer" else _ours)(kind, folder, dtype, ids)
    reset_peak()
    before, began = peak(), time.perf_counter()
    value = compute()
    seconds = time.perf_counter() - began
    print(json.dumps({"mebibytes": (peak() - before) / 1024, "seconds": seconds, "value": value}))


def _options(ids: Sequence[int]) -> list[list[int]]:
    return [[(id_ + 31 * number) % 7000 + 1 for id_ in ids[:OPTION_TOKENS]] for number in range(OPTIONS)]


def _request(ids: Sequence[int]) -> Any:
    from evalsuite.types import Cut, Request
    from evalsuite.work import Choose

    cut = Cut("left", None, 1 << 20, "model", len(ids), len(ids))
    return Request("r", "c", "s", "d", "k", tuple(ids), Choose(tuple(map(tuple, _options(ids)))), cut)


def _peer(kind: str, folder: str, dtype: str, ids: list[int]) -> Any:
    from benchmarks.peers import Peer

    peer = Peer(folder, dtype=dtype)
    request = _request(ids)
    if kind == "rolling":
        return lambda: peer.rolling(ids)
    return lambda: sum(value for value, _ in peer.options([request])[0])


def _ours(kind: str, folder: str, dtype: str, ids: list[int]) -> Any:
    from evalsuite.engines.hf import load

    engine = load(folder, {"dtype": dtype})
    request = _request(ids)
    if kind == "rolling":
        return lambda: -float(engine.rolling_loss(ids).sum(dtype="float64"))
    return lambda: sum(option.logprob for option in next(iter(engine.complete([[request]]))).options)


def reset_peak() -> None:
    """Sets the process's peak resident size to what it holds now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The peak resident size in KiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(sys.argv[1:])
