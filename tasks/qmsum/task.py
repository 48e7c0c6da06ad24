"""QMSum: query-based summaries of meetings.

Zhong et al. 2021, "QMSum: A New Benchmark for Query-based Multi-domain Meeting Summarization", arXiv:2104.05938.
Data: github.com/Yale-LILY/QMSum, MIT. Metric: ROUGE-1, -2, -L and their geometric mean, as SCROLLS scores it.
"""

from __future__ import annotations

from evalsuite.metrics.aggregate import geometric_mean_of, rouge_metrics
from evalsuite.metrics.scrolls import rouge
from evalsuite.qa import paper_protocol, scrolls_protocol
from evalsuite.task import Dataset, HubFile, Metric, Task
from evalsuite.types import Completion, Sample, ScoredAnswer

from .reader import samples

DATASET = Dataset(
    folder="qmsum",
    homepage="https://github.com/Yale-LILY/QMSum",
    licence="MIT; the meetings come from AMI and ICSI (CC BY 4.0) and from parliament committees",
    citation="Zhong et al. 2021, QMSum: A New Benchmark for Query-based Multi-domain Meeting Summarization, NAACL",
    instructions="Get data/ALL/jsonl/{train,val,test}.jsonl of the QMSum repository",
    # the publisher is not on the hub; SCROLLS packs the same queries, and has no answers for test
    hub=tuple(HubFile("tau/scrolls", f"qmsum.zip::qmsum/{split}.jsonl", split) for split in ("train", "validation")),
)


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """ROUGE F-measures without stemming, and the geometric mean of this sample's three."""
    answer = completion.text.strip()
    values = rouge(answer, sample.references)
    return ScoredAnswer({**values, "rouge_geo_sample": geometric_mean_of(values)}, answer)


TASKS = (
    Task(
        name="qmsum",
        suite="llama2-long",
        title="QMSum: query-based meeting summaries",
        version=1,
        samples=samples,
        splits=("train", "validation", "test"),
        split="validation",
        train_split="train",
        protocols=(
            paper_protocol(score=score, max_new_tokens=512),
            scrolls_protocol(score=score, max_new_tokens=512),
        ),
        metrics=(
            *rouge_metrics("scrolls.rouge"),
            Metric("rouge_geo_sample"),
        ),
        dataset=DATASET,
        paper="arXiv:2104.05938",
        note="Validation, as the paper; a turn is written 'speaker: content', one a line.",
    ),
)
