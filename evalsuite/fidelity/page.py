"""Writes docs/fidelity.md: ``python -m evalsuite.fidelity.page GOLDEN > docs/fidelity.md``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.benchmark import Deviation
from evalsuite.fidelity.cases import golden_prompts, read
from evalsuite.fidelity.check import check
from evalsuite.fidelity.report import Tally
from evalsuite.metrics.deviations import DEVIATIONS
from evalsuite.plugins import find_benchmarks, find_tasks
from evalsuite.task import Task

HEAD = """# Fidelity

`python -m evalsuite.fidelity.page GOLDEN > docs/fidelity.md` writes this page; do not edit it.

Many metrics and prompts follow official code. A *golden case* is an input with the result that the official code gave.
This page says how many golden cases agree with evalsuite:

- Scores, on the scale of 0 to 100, agree if they differ by at most 1e-7 (1e-4 for corpus values, which the official
  code rounds).
- Prompts agree if all characters are equal, and all token ids with three tokenizers.
- `rougeLsum` is not reported anywhere.

`evalsuite fidelity check FILE...` repeats the comparison.
"""


TAIL = """## Tasks, and deviations of a run

The task folders say which prompts and scores each task follows, and where a run differs from the official scripts.
`evalsuite fidelity tasks` prints this for all tasks. With `--include-path` your own tasks are listed too. The docs site
shows the list here.
"""
DIFFERS = ("where", "situation", "official code", "here")


@dataclass(frozen=True, slots=True)
class Fact:
    """What was found about one official function."""

    metric: str
    sources: tuple[str, ...]
    """``repository:path@commit`` of the code that gave the expected values."""
    tally: Tally


def facts(files: Sequence[Path], tokenizers: Path | None = None) -> tuple[Fact, ...]:
    """Checks golden files and says where their values come from.

    Args:
        files: golden files; groups join across them.
        tokenizers: folder of the golden tokenizers, for prompt cases.

    Raises:
        UsageError: a file or a line is faulty.
    """
    report = check(files, tokenizers=tokenizers)
    sources = _sources(files)
    return tuple(Fact(metric, tuple(sources[metric]), tally) for metric, tally in sorted(report.by_metric.items()))


def taken_to_agree(files: Sequence[Path]) -> tuple[Fact, ...]:
    """The facts of golden files all of whose cases agree, counted without computing them."""
    counts: dict[str, int] = {}
    for line in read(files):
        counts[line.metric] = counts.get(line.metric, 0) + 1
    sources = _sources(files)
    return tuple(Fact(metric, tuple(sources[metric]), Tally(n, n)) for metric, n in sorted(counts.items()))


def page(found: Iterable[Fact]) -> str:
    """The page in Markdown: what was checked, and where the scores differ on purpose."""
    known = {fact.metric: fact for fact in found}
    asked = {prompts.metric for prompts in golden_prompts().values()}
    scores = [fact for metric, fact in sorted(known.items()) if metric not in asked]
    prompts = [fact for metric, fact in sorted(known.items()) if metric in asked]
    cases = ("official function", "source", "golden cases that agree")
    raised = "If the official code raises an error, evalsuite returns the value listed under *Deviations of scores*.\n"
    return "\n".join(
        (
            HEAD,
            *_section("Scores", cases, map(_fact_row, scores), raised),
            *_section("Prompts and cuts", cases, map(_fact_row, prompts)),
            *_section("Deviations of scores", DIFFERS, map(_deviation_row, DEVIATIONS)),
            TAIL,
        )
    )


def from_tasks(include_paths: Sequence[str] = ()) -> str:
    """What the task folders say, in Markdown: where a run differs from official scripts, and whose rules tasks follow.

    Args:
        include_paths: as ``find_tasks`` takes them.
    """
    benchmarks = find_benchmarks(include_paths).values()
    deviations = (one for benchmark in benchmarks for one in benchmark.deviations)
    columns = ("suite", "tasks and their versions", "scored as", "asked as")
    return "\n".join(
        (
            *_section("Deviations of a run", DIFFERS, map(_deviation_row, deviations)),
            *_section("Tasks", columns, _task_rows(find_tasks(include_paths))),
        )
    )


def main(golden: Path) -> None:
    """Checks everything in a folder of golden files and writes the page to the standard output."""
    sys.stdout.write(page(facts(sorted(golden.glob("*.jsonl*")))))


def _sources(files: Sequence[Path]) -> dict[str, dict[str, None]]:
    """The official code of every metric; the name of a function inside a file is left out."""
    found: dict[str, dict[str, None]] = {}
    for line in read(files):
        source = str(line.case.get("scorer") or line.case["source"])
        found.setdefault(line.metric, {})[re.sub(r"@([0-9a-f]{7})[0-9a-f]*$", r"@\1", source)] = None
    return {metric: dict.fromkeys(sorted(sources)) for metric, sources in found.items()}


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], text: str = "") -> Iterator[str]:
    yield f"## {title}\n"
    if text:
        yield text
    yield _line(columns)
    yield _line(["---"] * len(columns))
    yield from map(_line, rows)
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fact_row(fact: Fact) -> Sequence[str]:
    tally = fact.tally
    raised = f" ({tally.documented} where it raises)" if tally.documented else ""
    return f"`{fact.metric}`", _codes(fact.sources), f"{tally.agreed} of {tally.total}{raised}"


def _deviation_row(deviation: Deviation) -> Sequence[str]:
    where = "everywhere" if deviation.metric == "*" else _codes(deviation.metric.split(", "))
    return where, deviation.situation, deviation.official, deviation.ours


def _task_rows(tasks: Mapping[str, Task]) -> Iterator[Sequence[str]]:
    """Tasks scored and asked alike share a row."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for task in tasks.values():
        asked = "; ".join(dict.fromkeys(protocol.follows for protocol in task.protocols))
        alike.setdefault((task.suite, _scored(task), asked), []).append(f"{task.name}` {task.version}")
    for (suite, scored, asked), names in alike.items():
        yield suite, ", ".join(f"`{name}" for name in names), scored, asked


def _scored(task: Task) -> str:
    """The official functions that a task's metrics declare; a primary metric that follows none is said."""
    own = [f"{metric.name} by a rule of its own" for metric in task.metrics if metric.primary and not metric.official]
    official = dict.fromkeys(metric.official for metric in task.metrics if metric.official)
    return ", ".join((*own, *(f"`{name}`" for name in official)))


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
