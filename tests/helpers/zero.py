"""ZeroSCROLLS rows and folders made for tests, and small runs over them without a model."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evalsuite.cells import Cell
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.interfaces import Tokenizer
from evalsuite.plugins import find_tasks, module, select_tasks
from evalsuite.records import ALL, Block, RunSpec
from evalsuite.runs.execute import execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.planning.plan import Plan
from evalsuite.runs.scored import score_folder

LAYOUTS = module("zeroscrolls", "layout").LAYOUTS
GOLD = {"quality": "B", "space_digest": "60%", "book_sum_sort": "2, 1, 3"}
"""References whose form the metric prescribes; any text does for the other sets."""


def row(config: str, name: str, output: str | None, document: str = "Ann came. Bob left.", **change: Any) -> Any:
    """A row in the official format, worded as the set is."""
    frame = LAYOUTS[config].attributes("Who left?")
    parts = [frame["instruction"], document, frame["between"], frame["query"], frame["response"]]
    ends = [sum(map(len, parts[: count + 1])) for count in range(4)]
    names = ("document_start_index", "document_end_index", "query_start_index", "query_end_index")
    made = {"id": name, "pid": f"{name}_0", "input": "".join(parts), "output": output}
    return {**made, **dict(zip(names, ends, strict=True)), "truncation_seperator": frame["separator"], **change}


def write(root: Path, config: str, split: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Writes rows where the official zip would be unpacked, and gives the data folder back."""
    path = root / "zero_scrolls" / config / f"{split}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return root


def golden_records(golden: Path) -> list[dict[str, Any]]:
    """The generated rows, each with its set's name."""
    with gzip.open(golden / "prompts_records.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [record for record in records if record["benchmark"] == "zero_scrolls"]


def plan(data: Path, tasks: str = "zeroscrolls", split: str | None = None, **block: Any) -> Plan:
    """What a run over a data folder would ask."""
    chosen = select_tasks(tasks.split(","), find_tasks())
    asked = Block(tuple(tasks.split(",")), split={} if split is None else {ALL: split}, **block)
    return make_plan(RunSpec("scripted:test", (asked,), data=str(data)), (chosen,), engine())


def engine(answer: str = "the answer", tokenizer: Tokenizer | None = None) -> ScriptedEngine:
    """An engine that always says the same."""
    made = ScriptedEngine(lambda _: answer)
    if tokenizer is not None:
        made.tokenizer = tokenizer  # type: ignore[assignment]
    return made


def run(asked: Plan, out: Path, model: ScriptedEngine) -> dict[str, Cell]:
    """Runs and scores; the primary cell of each task."""
    execute(asked, model, out, lambda _: None)
    cells = score_folder(out, find_tasks())
    return {cell.task: cell for cell in cells if cell.primary}
