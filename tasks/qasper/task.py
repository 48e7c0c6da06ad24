"""Qasper: questions about research papers, asked by readers of title and abstract.

Dasigi et al. 2021, "A Dataset of Information-Seeking Questions and Answers Anchored in Research Papers",
arXiv:2105.03011.
Data: allenai.org/data/qasper (CC BY 4.0), or the parquet branch of allenai/qasper on the hub.
Metric: token F1, best of the annotators, as allenai/qasper-led-baseline scripts/evaluator.py@afd0fb9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evalsuite.metrics.qasper import ANSWER_TYPES, token_f1
from evalsuite.qa import paper_protocol, scrolls_protocol
from evalsuite.task import Dataset, HubFile, Metric, Task
from evalsuite.types import Completion, Sample, ScoredAnswer

from .reader import FILES, samples

HUB = "allenai/qasper"
PARQUET = "refs/convert/parquet"
"""The branch the hub converts script datasets to."""

F1 = Metric("f1", primary=True, official="qasper.token_f1", scale=100)
DATASET = Dataset(
    folder="qasper",
    homepage="https://allenai.org/data/qasper",
    licence="CC BY 4.0",
    citation=(
        "Dasigi et al. 2021, A Dataset of Information-Seeking Questions and Answers Anchored in Research Papers, NAACL"
    ),
    instructions="Get qasper-train-dev-v0.3.tgz and qasper-test-and-evaluator-v0.3.tgz and unpack qasper-*-v0.3.json",
    hub=tuple(HubFile(HUB, f"qasper/{split}/*.parquet", split, PARQUET) for split in FILES),
)


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Answer F1, best of the annotators."""
    answer = completion.text.strip()
    return ScoredAnswer({"f1": 100 * token_f1(answer, sample.references)}, answer)


def of_type(kind: str) -> Callable[[Sample], bool]:
    """Whether the first annotator answered in this way."""
    return lambda sample: sample.attributes["answer_types"][0] == kind


TASKS = (
    Task(
        name="qasper",
        suite="llama2-long",
        title="Qasper: questions about research papers",
        version=1,
        samples=samples,
        splits=tuple(FILES),
        split="validation",
        train_split="train",
        protocols=(
            paper_protocol(score=score, max_new_tokens=128),
            scrolls_protocol(score=score, max_new_tokens=128),
        ),
        metrics=(
            F1,
            *(
                replace(F1, name=f"f1_{kind}", primary=False, subset=of_type(kind), averages=F1.name)
                for kind in ANSWER_TYPES
            ),
        ),
        dataset=DATASET,
        paper="arXiv:2105.03011",
        note="Validation, as the paper; F1 by answer type goes by the first annotator, not by the best one.",
    ),
)
