"""L-Eval: twenty sets of long documents with closed and open questions, for instruction-tuned models.

An et al. 2023, "L-Eval: Instituting Standardized Evaluation for Long Context Language Models", arXiv:2307.11088v3.
Data: github.com/OpenLMLab/LEval (GPL-3.0), or L4NLP/LEval on the hub. One split, test, with public answers.
Metrics: exam accuracy by the official extraction, F1, ROUGE; rows for judges are kept apart.
"""

from __future__ import annotations

from evalsuite.benchmark import Benchmark
from evalsuite.task import Dataset, HubFile, Task

from .asking import protocols
from .golden import DEVIATIONS, PROMPTS
from .predictions import PREDICTIONS
from .reader import HUB_FOLDERS, reader
from .scoring import metrics_of
from .sets import SETS, Set

HUB = "L4NLP/LEval"

NOTE = "The only split; rows marked LLM or human are for judges and are not asked."
NOTES = {
    "sci_fi": "Asked twice, by the story (loyalty) and by the real world (fact): two samples a question, the mean of "
    "which is the official score.",
    "gsm100": "All hundred questions stand behind the same sixteen worked examples: one document, no standard error.",
    "codeU": "The document cut keeps the end of the code.",
}


def dataset(one: Set) -> Dataset:
    """Return where a set's data comes from."""
    return Dataset(
        folder="leval",
        homepage="https://github.com/OpenLMLab/LEval",
        licence="GPL-3.0; the documents come from many sources under their own terms",
        citation="An et al. 2023, L-Eval: Instituting Standardized Evaluation for Long Context Language Models",
        instructions=f"Get LEval-data/{one.folder}/{one.name}.jsonl of the L-Eval repository and keep its folder",
        hub=(HubFile(HUB, f"LEval/{HUB_FOLDERS[one.kind]}/{one.name}.jsonl", "test"),),
    )


def task(one: Set) -> Task:
    """Return a set as a task."""
    return Task(
        name=f"leval_{one.name}",
        suite="leval",
        title=f"L-Eval {one.paper_name} ({one.kind}-ended, {one.questions} questions)",
        version=1,
        samples=reader(one),
        splits=("test",),
        split="test",
        protocols=protocols(one),
        metrics=metrics_of(one),
        dataset=dataset(one),
        paper="arXiv:2307.11088v3",
        note=" ".join(filter(None, (NOTES.get(one.name), NOTE))),
    )


TASKS = tuple(task(one) for one in SETS)
BENCHMARK = Benchmark(predictions=(PREDICTIONS,), prompts=PROMPTS, deviations=DEVIATIONS)
