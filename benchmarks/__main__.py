"""``python -m benchmarks [--quick] [--json FILE] [--page FILE] [--only NAME,...]``: everything, or some rows."""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import data, wall
from benchmarks.counts import Setting, encode_row, generation_rows, option_rows
from benchmarks.memory import memory_rows
from benchmarks.models import BODY, VOCABULARY, make_model
from benchmarks.page import page
from benchmarks.prepare import prepare_rows
from benchmarks.requests import groups
from benchmarks.rows import Deadline, Row, machine, write_json
from benchmarks.runs import run_row
from benchmarks.small import rouge_rows, start_rows
from evalsuite.engines.hf import HFEngine, load
from evalsuite.errors import UsageError

MINUTES = 40
QUICK_MINUTES = 8
PAIRS = 7
QUICK_PAIRS = 3
WALL_DOCUMENTS = (2, 8)
"""The same two stories in every full benchmark: eleven and seventeen questions."""
QUICK_DOCUMENTS = (1, 8)
"""The two shortest."""

RUN_SECONDS = 90
"""Least time left for the quick form to begin whole runs."""

NOTES = (
    (
        "The model of these benchmarks has random weights. This changes no count: what is shared depends on the token "
        "ids of the prompts, not on their meaning."
    ),
    (
        "transformers' own continuous batching with prefix sharing was tried first (5.19, CPU, sdpa). Ten questions "
        "about 4,000 tokens took it 91 to 119 s, and `generate`, one by one, took 24 s, with equal ids. It gives no "
        "log-likelihoods of options. So evalsuite has its own decode loop."
    ),
    "These figures were measured without a GPU, so the page has no GPU section.",
)


def main() -> int:
    """Measures, prints, writes."""
    asked = _arguments()
    warnings.filterwarnings("ignore", category=FutureWarning)
    about = {"machine": machine(), "quick": asked.quick, "notes": list(NOTES)}
    rows: list[Row] = []
    try:
        for row in _measure(Deadline(60 * (QUICK_MINUTES if asked.quick else MINUTES)), asked):
            rows.append(row)
            print(_line(row), flush=True)
            _write(asked, rows, about)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _write(asked: argparse.Namespace, rows: list[Row], about: dict[str, Any]) -> None:
    """Everything so far: an interrupted benchmark keeps what it measured."""
    if asked.json:
        write_json(asked.json, rows, about)
    if asked.page:
        asked.page.write_text(page({**about, "rows": [row.record() for row in rows]}), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three pairs, shorter texts, under eight minutes")
    parser.add_argument("--json", type=Path, help="write every row and pair here")
    parser.add_argument("--page", type=Path, help="write the Markdown page here")
    parser.add_argument("--only", default="", help="parts to run: counts,prepare,rouge,start,wall,memory,run")
    return parser.parse_args()


def _measure(deadline: Deadline, asked: argparse.Namespace) -> Iterator[Row]:
    only = set(filter(None, asked.only.split(",")))
    folder = Path() if only == {"prepare"} else data.data_folder()
    parts: dict[str, Callable[[], Iterable[Row]]] = {
        "counts": lambda: _counts(folder),
        "prepare": lambda: prepare_rows(quick=asked.quick),
        "rouge": lambda: rouge_rows(
            data.qmsum(folder), QUICK_PAIRS if asked.quick else PAIRS, deadline, quick=asked.quick
        ),
        "start": lambda: start_rows(quick=asked.quick),
        "wall": lambda: _wall(folder, deadline, quick=asked.quick),
        "memory": lambda: memory_rows(quick=asked.quick, text=data.stories(folder)),
        "run": lambda: _run(folder, deadline, quick=asked.quick),
    }
    for name, part in parts.items():
        if not only or name in only:
            yield from part()


def _model(scratch: str, folder: Path) -> HFEngine:
    texts = [book.text for book in (*data.quality(folder), *data.qmsum(folder))]
    made = make_model(Path(scratch), texts, sizes=BODY, vocabulary=VOCABULARY, dtype="float32")
    return load(str(made), {"dtype": "float32", "device": "cpu"})


def _counts(folder: Path) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        engine = _model(scratch, folder)
        width = BODY["hidden_size"] // BODY["num_attention_heads"]
        kv_bytes = 4 * 2 * BODY["num_hidden_layers"] * BODY["num_key_value_heads"] * width
        setting = Setting(engine.tokenizer, engine.costs, engine.budget.pack, kv_bytes)
        stories = data.quality(folder)
        yield encode_row(setting, stories)
        yield from option_rows(setting, stories)
        yield from generation_rows(setting, [*stories, *data.qmsum(folder)])


def _wall(folder: Path, deadline: Deadline, *, quick: bool) -> Iterator[Row]:
    from benchmarks.peers import Peer

    with tempfile.TemporaryDirectory() as scratch:
        engine = _model(scratch, folder)
        peer = Peer(scratch)
        every = data.quality(folder)
        books = [every[number] for number in (QUICK_DOCUMENTS if quick else WALL_DOCUMENTS)]
        pairs = QUICK_PAIRS if quick else PAIRS
        asked = list(groups(books, engine.tokenizer, options=True, cutting="uncut"))
        best = peer.best_batch(asked[0][:1], quick=quick)
        # Generation, memory and whole runs still follow.
        options_time = Deadline(deadline.left * 0.4)
        yield wall.option_wall(engine, peer, asked, pairs, options_time, best)
        generated = list(groups(books, engine.tokenizer, options=False, cutting="uncut"))
        yield wall.generation_wall(engine, peer, generated, pairs, Deadline(deadline.left * 0.4))


def _run(folder: Path, deadline: Deadline, *, quick: bool) -> Iterator[Row]:
    if quick and deadline.left < RUN_SECONDS:
        print("run_wall: left out, no time for it")
        return
    with tempfile.TemporaryDirectory() as scratch:
        _model(scratch, folder).close()
        yield run_row(scratch, folder, QUICK_PAIRS if quick else PAIRS, deadline)


def _line(row: Row) -> str:
    shown = [f"{row.name:18}", f"peer {row.peer or 0:12.2f}", f"ours {row.ours or 0:12.2f} {row.unit:7}"]
    shown += [f"ratio {row.ratio:8.2f}" if row.ratio else "", f"limit {row.limit_ratio:.3f}" if row.limit_ratio else ""]
    return "  ".join(
        [*shown, "" if row.equal is None else f"equal {row.equal}", "" if row.met is None else f"met {row.met}"]
    )


if __name__ == "__main__":
    sys.exit(main())
