"""`zeroscrolls-rebuilt`: sets of ZeroSCROLLS made again from the original datasets, in the official layout.

Not the official examples: those are a choice of a few hundred, cleaned by their publisher, whose files are not needed
here. A number from here stands beside another one from here, never beside a published one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from evalsuite.task import Dataset, Selection, Source, Task
from evalsuite.types import Sample

from . import originals
from .asking import protocols
from .layout import LAYOUTS
from .originals import Asked
from .scoring import metrics_of
from .sets import BY_CONFIG

Read = Callable[[Source, str], Iterable[Asked]]

SUITE = "zeroscrolls-rebuilt"
NOTE = "Rebuilt from the original dataset: the official wording, not the official examples. What differs:"


@dataclass(frozen=True, slots=True)
class Original:
    """An original dataset that gives a set's documents and questions.

    Attributes:
        config: the set rebuilt.
        read: the questions of a split.
        splits: those it has, the default first.
        dataset: where it comes from.
        differs: how it differs from the official set.
    """

    config: str
    read: Read
    splits: tuple[str, ...]
    dataset: Dataset
    differs: str


LEVAL = Dataset(
    folder="leval",
    homepage="https://github.com/OpenLMLab/LEval",
    licence="GPL-3.0; the documents come from many sources under their own terms",
    citation="An et al. 2023, L-Eval: Instituting Standardized Evaluation for Long Context Language Models",
    instructions="Get LEval-data/Open-ended-tasks of the L-Eval repository and keep that folder",
)
QMSUM = Dataset(
    folder="qmsum",
    homepage="https://github.com/Yale-LILY/QMSum",
    licence="MIT; the meetings come from AMI and ICSI (CC BY 4.0) and from parliament committees",
    citation="Zhong et al. 2021, QMSum: A New Benchmark for Query-based Multi-domain Meeting Summarization, NAACL",
    instructions="Get data/ALL/jsonl/{train,val,test}.jsonl of the QMSum repository",
)
SQUALITY = Dataset(
    folder="squality",
    homepage="https://github.com/nyu-mll/SQuALITY",
    licence="CC BY 4.0; the stories come from Project Gutenberg",
    citation="Wang et al. 2022, SQuALITY: Building a Long-Document Summarization Dataset the Hard Way, EMNLP",
    instructions="Get data/v1-3/txt/{train,dev,test}.jsonl of the SQuALITY repository",
)
QASPER = Dataset(
    folder="qasper",
    homepage="https://allenai.org/data/qasper",
    licence="CC BY 4.0",
    citation=(
        "Dasigi et al. 2021, A Dataset of Information-Seeking Questions and Answers Anchored in Research Papers, NAACL"
    ),
    instructions="Get qasper-train-dev-v0.3.tgz and qasper-test-and-evaluator-v0.3.tgz and unpack qasper-*-v0.3.json",
)
NARRATIVEQA = Dataset(
    folder="narrativeqa",
    homepage="https://github.com/google-deepmind/narrativeqa",
    licence="Apache-2.0; stories as Project Gutenberg and the script sites give them",
    citation="Kočiský et al. 2018, The NarrativeQA Reading Comprehension Challenge, TACL",
    instructions="Get documents.csv and qaps.csv of the NarrativeQA repository and run its download_stories.sh",
)
QUALITY = Dataset(
    folder="quality",
    homepage="https://github.com/nyu-mll/quality",
    licence="unclear: the repository states none; every article carries its own, mostly Project Gutenberg",
    citation="Pang et al. 2022, QuALITY: Question Answering with Long Input Texts, Yes!, NAACL",
    instructions="Get QuALITY.v1.0.1.zip of the QuALITY repository (the zip itself or the files in it)",
)
MUSIQUE = Dataset(
    folder="musique",
    homepage="https://github.com/StonyBrookNLP/musique",
    licence="CC BY 4.0",
    citation="Trivedi et al. 2022, MuSiQue: Multihop Questions via Single-hop Question Composition, TACL",
    instructions="Get musique_full_v1.0_dev.jsonl (or musique_ans_v1.0_dev.jsonl) of the MuSiQue repository",
)

_TEXT = "texts without the cleaning of SCROLLS, every question of the split instead of 500"
ORIGINALS = (
    Original(
        "gov_report",
        lambda source, _: originals.leval_summaries(source, "gov_report_summ"),
        ("test",),
        LEVAL,
        "L-Eval's thirteen or so reports and summaries instead of 500.",
    ),
    Original(
        "summ_screen_fd",
        lambda source, _: originals.leval_summaries(source, "tv_show_summ"),
        ("test",),
        LEVAL,
        "L-Eval's thirteen or so episodes instead of 337; they need not be ForeverDreaming's.",
    ),
    Original("qmsum", originals.qmsum, ("validation", "test", "train"), QMSUM, f"{_TEXT}; answers of test are public."),
    Original("squality", originals.squality, ("validation", "test", "train"), SQUALITY, f"{_TEXT}."),
    Original("qasper", originals.qasper, ("validation", "test", "train"), QASPER, f"{_TEXT}; short papers stay in."),
    Original("narrative_qa", originals.narrative_qa, ("validation", "test"), NARRATIVEQA, f"{_TEXT}."),
    Original("quality", originals.quality, ("validation", "train"), QUALITY, f"{_TEXT}; the reference is the letter."),
    Original(
        "musique",
        originals.musique,
        ("validation", "train"),
        MUSIQUE,
        "every question of the file, not 400 answerable and 100 unanswerable ones; other names of an answer count.",
    ),
)


def task(original: Original) -> Task:
    """Return a rebuilt set as a task."""
    one = BY_CONFIG[original.config]
    return Task(
        name=f"{SUITE}_{one.config}",
        suite=SUITE,
        title=f"{one.config} in the layout of ZeroSCROLLS, from {original.dataset.folder} ({one.kind})",
        version=1,
        samples=lambda selection: _samples(original, selection),
        splits=original.splits,
        split=original.splits[0],
        protocols=tuple(replace(one, note=f"Not the official set. {one.note}") for one in protocols(one)),
        metrics=metrics_of(one),
        dataset=original.dataset,
        paper="arXiv:2305.14196v3",
        note=f"{NOTE} {original.differs}",
    )


def _samples(original: Original, selection: Selection) -> Iterator[Sample]:
    layout = LAYOUTS[original.config]
    for asked in original.read(selection.source, selection.split):
        attributes = layout.attributes(asked.query)
        question = asked.query or layout.instruction
        yield Sample(asked.id, asked.document, question, asked.references, attributes=attributes)


TASKS = tuple(task(original) for original in ORIGINALS)
