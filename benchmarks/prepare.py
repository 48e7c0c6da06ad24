"""Prompts before a model sees them: time to prepare them, time to the first, memory of a plan.

``python -m benchmarks.prepare FOLDER`` plans the short meetings below a folder and prints the megabytes that took.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.memory import peak, reset_peak
from benchmarks.models import VOCABULARY, save_tokenizer
from benchmarks.rows import Row
from benchmarks.stand_ins import short_ones, stand_ins
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.plugins import find_tasks, select_tasks
from evalsuite.records import ALL, Block, EngineInfo, ModelIdentity, RunSpec
from evalsuite.runs.asking.requests import Question, groups
from evalsuite.runs.execute import execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.planning.plan import Plan
from evalsuite.tokenizers import HFTokenizer, load_tokenizer
from evalsuite.types import Completion, Request

TASKS = ("qmsum", "quality")
DOCUMENTS = 8
SHOTS, CAPS = (0, 1, 2), (4096, 16384)
PASSES, MILLISECONDS = 3, 3
"""The goal: so many passes over everything shown, and so much for each request."""
SAMPLES, MEBIBYTES = 200_000, 300
TURNS, QUICK_TURNS = 5, 3


@dataclass(slots=True)
class Side:
    """A model's prompt side that reads everything anew, and an engine that answers nothing but keeps the time."""

    tokenizer: HFTokenizer
    info: EngineInfo = field(
        default_factory=lambda: EngineInfo("benchmark", "1", ModelIdentity("none", "none"), max_model_len=1 << 20)
    )
    first: float = 0.0
    """When the first group of requests came."""

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        """Takes one group and ends."""
        next(iter(groups))
        self.first = time.perf_counter()
        yield from ()

    def close(self) -> None:
        """Nothing to free."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is prepared, and where its tokenizer lies."""

    plan: Plan
    folder: Path
    data: str

    def side(self) -> Side:
        """With a tokenizer that has read nothing yet."""
        made = Side(load_tokenizer(str(self.folder)))
        made.tokenizer.encode_literal("ready")
        return made


def prepare_rows(*, quick: bool) -> Iterator[Row]:
    """All three measures, on the publishers' files where they lie below EVALSUITE_DATA, else on stand-ins."""
    with tempfile.TemporaryDirectory() as scratch:
        setting = make_setting(Path(scratch))
        turns = QUICK_TURNS if quick else TURNS
        yield cut_row(setting, turns)
        yield first_row(setting, turns)
    with tempfile.TemporaryDirectory() as scratch:
        yield memory_row(short_ones(Path(scratch), SAMPLES), SAMPLES)


def make_setting(scratch: Path) -> Setting:
    """Plans the questions and trains a tokenizer on their documents."""
    real = Path(os.environ.get("EVALSUITE_DATA") or scratch / "none")
    found = all((real / task).is_dir() for task in TASKS)
    data = real if found else stand_ins(scratch / "data")
    block = Block(TASKS, SHOTS, CAPS, limit_documents={ALL: DOCUMENTS})
    planner = ScriptedEngine({}, max_model_len=1 << 20)
    plan = make_plan(RunSpec("none", (block,), data=str(data)), (select_tasks(TASKS, find_tasks()),), planner)
    (scratch / "tokenizer").mkdir()
    texts = [samples[0].document.text for samples in plan.tasks[0].reading.documents()]
    save_tokenizer(scratch / "tokenizer", texts, VOCABULARY)
    return Setting(plan, scratch / "tokenizer", "publishers' files" if found else "made-up documents of the same sizes")


def cut_row(setting: Setting, turns: int) -> Row:
    """Every request of the plan, against encoding each prompt whole; ids of all of them compared."""
    seconds: list[float] = []
    passes: list[float] = []
    made: list[Request] = []
    for _ in range(turns):
        passes.append(_one_pass(setting))
        side = setting.side()
        began = time.perf_counter()
        made = [one for group in groups(setting.plan, side) for one in group if isinstance(one, Request)]
        seconds.append(time.perf_counter() - began)
    whole, equal = _read_whole(setting, made)
    ours, once = min(seconds), min(passes)
    limit = PASSES * once + MILLISECONDS / 1000 * len(made)
    return Row(
        name="prepare_cut",
        what=f"{len(made)} requests over {_documents(setting)} documents (QMSum, QuALITY; {setting.data}), "
        f"0, 1 and 2 shots, caps 4,096 and 16,384, {sum(request.cut.is_cut for request in made)} of them cut",
        peer=whole,
        ours=ours,
        unit="s",
        goal=f"at most {PASSES} passes over everything shown and {MILLISECONDS} ms a request, ids identical",
        limit_ratio=ours / once,
        equal=equal,
        met=equal and ours <= limit,
        peer_config="each prompt encoded whole, and again as cut",
        note=f"limit is one pass of the tokenizer over all documents and demonstrations ({once:.3f} s); "
        f"allowed here: {limit:.2f} s; best of {turns}",
    )


def first_row(setting: Setting, turns: int) -> Row:
    """From the start of a planned run to the first question asked, against preparing the longest document alone."""
    waited: list[float] = []
    alone: list[float] = []
    for _ in range(turns):
        side = setting.side()
        with tempfile.TemporaryDirectory() as out:
            began = time.perf_counter()
            execute(setting.plan, side, Path(out) / "run", lambda _: None)
            waited.append(side.first - began)
        alone.append(max(_seconds(setting)))
    ours, longest = min(waited), min(alone)
    return Row(
        name="prepare_first",
        what=f"a planned run's start, its directory included, to its first question ({setting.data})",
        peer=None,
        ours=ours,
        unit="s",
        goal="limit_ratio at most 1",
        limit_ratio=ours / longest,
        met=ours <= longest,
        peer_config="none",
        note=f"limit is preparing all requests of one document ({longest:.3f} s, the slowest); best of {turns}",
    )


def memory_row(folder: Path, samples: int) -> Row:
    """What a plan of so many samples takes, in a fresh process behind its imports."""
    command = [sys.executable, "-m", "benchmarks.prepare", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    asked, grown = done.stdout.split()[-2:]
    return Row(
        name="plan_memory",
        what=f"growth of the peak while {int(asked):,} samples of short made-up meetings are planned, imports left out",
        peer=None,
        ours=float(grown),
        unit="MiB",
        goal=f"less than {MEBIBYTES}",
        met=int(asked) == samples and float(grown) < MEBIBYTES,
        peer_config="none",
        note="no text is held; twenty questions a document of 800 characters",
    )


def _seconds(setting: Setting) -> list[float]:
    """Time to prepare each document's requests, one document after the other."""
    taken: list[float] = []
    began = time.perf_counter()
    for _ in groups(setting.plan, setting.side()):
        taken.append(time.perf_counter() - began)
        began = time.perf_counter()
    return taken


def _questions(setting: Setting, side: Side) -> Iterator[Question]:
    for task in setting.plan.tasks:
        samples = list(task.reading.samples())
        for cell in task.cells:
            yield from (Question(cell, sample, side) for sample in samples)


def _documents(setting: Setting) -> int:
    return sum(len(task.sizes) for task in setting.plan.tasks)


def _shown(setting: Setting, side: Side) -> list[str]:
    """Every document that is asked about or demonstrated, once."""
    shown = {
        sample.document.hash: sample.document.text
        for question in _questions(setting, side)
        for sample in (question.sample, *question.demonstrations)
    }
    return list(shown.values())


def _one_pass(setting: Setting) -> float:
    side = setting.side()
    shown = _shown(setting, side)
    began = time.perf_counter()
    for text in shown:
        side.tokenizer.encode_literal(text)
    return time.perf_counter() - began


def _read_whole(setting: Setting, made: Sequence[Request]) -> tuple[float, bool]:
    """Seconds to encode every prompt whole and as it was cut, and whether its ids came out the same."""
    side = setting.side()
    ids = {request.id: request.prompt for request in made}
    seconds, equal = 0.0, True
    for question in _questions(setting, side):
        fitted, frame = question.fitted(), question.rendered.frame
        if fitted is None:
            continue
        began = time.perf_counter()
        side.tokenizer.encode_literal("".join(part.text for part in question.rendered.parts))
        found = side.tokenizer.encode_literal(fitted.text).ids
        seconds += time.perf_counter() - began
        equal = equal and ids[question.id] == (*frame.head, *found, *frame.tail)
    return seconds, equal


def main(folder: str) -> None:
    """Plans everything below a folder in this process."""
    tasks = select_tasks(("qmsum",), find_tasks())
    reset_peak()
    before = peak()
    spec = RunSpec("none", (Block(("qmsum",)),), data=folder)
    plan = make_plan(spec, (tasks,), ScriptedEngine({}, max_model_len=1 << 20))
    print(plan.asked, (peak() - before) / 1024)


if __name__ == "__main__":
    main(sys.argv[1])
