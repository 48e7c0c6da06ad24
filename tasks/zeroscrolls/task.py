"""ZeroSCROLLS: ten sets of long texts asked without an example, for instruction-tuned models.

Shaham et al. 2023, "ZeroSCROLLS: A Zero-Shot Benchmark for Long Text Understanding", arXiv:2305.14196v3.
Data: tau/zero_scrolls on the hub, ten zips; labels of test were private, validation has about twenty examples a set.
Metrics: ROUGE (geometric mean), F1, accuracy, exponential similarity, concordance index.
"""

from __future__ import annotations

from functools import partial

from evalsuite.benchmark import Benchmark, Predictions
from evalsuite.predictions.formats import read_scrolls
from evalsuite.task import Dataset, HubFile, Task

from . import rebuilt
from .asking import protocols
from .golden import DEVIATIONS, PROMPTS
from .reader import reader
from .scoring import metrics_of
from .sets import SETS, Set
from .submission import SUBMISSION

HUB = "tau/zero_scrolls"
SPLITS = ("validation", "test")
CITATION = "Shaham et al. 2023, ZeroSCROLLS: A Zero-Shot Benchmark for Long Text Understanding, Findings of EMNLP"

NOTE = (
    "Validation, about twenty examples a set: too few to tell close models apart. Test labels were private: examples "
    "without one are answered for a submission (`evalsuite submission`) and counted as skipped."
)


def dataset(one: Set) -> Dataset:
    """Return where a set's data comes from."""
    name = one.config
    return Dataset(
        folder="zero_scrolls",
        homepage="https://huggingface.co/datasets/tau/zero_scrolls",
        licence="that of the dataset the set was made from; the publisher states none for the whole",
        citation=CITATION,
        instructions=f"Get {name}.zip of {HUB} from the Hugging Face hub (the zip itself, or {name}/*.jsonl out of it)",
        hub=tuple(HubFile(HUB, f"{name}.zip::{name}/{split}.jsonl", split) for split in SPLITS),
    )


def task(one: Set) -> Task:
    """Return a set as a task."""
    return Task(
        name=f"zeroscrolls_{one.config}",
        suite="zeroscrolls",
        title=f"ZeroSCROLLS {one.config} ({one.kind})",
        version=1,
        samples=reader(one),
        splits=SPLITS,
        split="validation",
        protocols=protocols(one),
        metrics=metrics_of(one),
        dataset=dataset(one),
        paper="arXiv:2305.14196v3",
        note=NOTE,
    )


TASKS = (*(task(one) for one in SETS), *rebuilt.TASKS)
BENCHMARK = Benchmark(
    predictions=(Predictions(name="zeroscrolls", read=partial(read_scrolls, "zeroscrolls")),),
    submission=SUBMISSION,
    prompts=PROMPTS,
    deviations=DEVIATIONS,
)
