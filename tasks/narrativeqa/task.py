"""NarrativeQA: questions about whole books and film scripts, or about their summaries.

Kočiský et al. 2018, "The NarrativeQA Reading Comprehension Challenge", arXiv:1712.07040.
Data: github.com/google-deepmind/narrativeqa (Apache-2.0), or deepmind/narrativeqa on the hub.
Metric: token F1, best of the two references, as in SCROLLS and Llama 2 Long.
"""

from __future__ import annotations

from dataclasses import replace

from evalsuite.metrics.scrolls import f1
from evalsuite.qa import paper_protocol, scrolls_protocol
from evalsuite.task import Dataset, HubFile, Metric, Task
from evalsuite.types import Completion, Sample, ScoredAnswer

from .reader import SETS, stories, summaries

HUB = "deepmind/narrativeqa"

DATASET = Dataset(
    folder="narrativeqa",
    homepage="https://github.com/google-deepmind/narrativeqa",
    licence="Apache-2.0; summaries CC BY-SA (Wikipedia); stories as Project Gutenberg and the script sites give them",
    citation="Kočiský et al. 2018, The NarrativeQA Reading Comprehension Challenge, TACL",
    instructions=(
        "Get documents.csv, qaps.csv and third_party/wikipedia/summaries.csv of the NarrativeQA repository "
        "and run its download_stories.sh, which fills tmp/"
    ),
    hub=tuple(HubFile(HUB, f"data/{split}-*.parquet", split) for split in SETS),
)


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Token F1, best of the references."""
    answer = completion.text.strip()
    return ScoredAnswer({"f1": f1(answer, sample.references)}, answer)


PROTOCOLS = (paper_protocol(score=score, max_new_tokens=64), scrolls_protocol(score=score, max_new_tokens=64))
METRICS = (Metric("f1", primary=True, official="scrolls.f1"),)

STORIES = Task(
    name="narrativeqa",
    suite="llama2-long",
    title="NarrativeQA: questions about full stories",
    version=1,
    samples=stories,
    splits=tuple(SETS),
    split="validation",
    train_split="train",
    protocols=PROTOCOLS,
    metrics=METRICS,
    dataset=DATASET,
    paper="arXiv:1712.07040",
    note="Validation, as the paper; a story runs from story_start to story_end, Gutenberg's licence included.",
)

TASKS = (
    STORIES,
    replace(
        STORIES,
        name="narrativeqa_summary",
        title="NarrativeQA: questions about summaries",
        samples=summaries,
        note="The short setting of NarrativeQA; not a task of the Llama 2 Long paper.",
    ),
)
