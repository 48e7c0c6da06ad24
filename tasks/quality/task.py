"""QuALITY: multiple-choice questions on whole stories and articles.

Pang et al. 2022, "QuALITY: Question Answering with Long Input Texts, Yes!", arXiv:2112.08608.
Data: github.com/nyu-mll/quality v1.0.1 (articles under their own licences), or emozilla/quality on the hub.
Metric: accuracy, also on the hard subset; Llama 2 Long reports exact match.
"""

from __future__ import annotations

from evalsuite.qa import first_reference, paper_protocol, scrolls_protocol
from evalsuite.task import Dataset, HubFile, Metric, Task
from evalsuite.types import Sample

from .answers import asked, asked_in_lines, gold_letter, letters, score, score_letters, score_texts, score_words
from .reader import samples

HUB = "emozilla/quality"

DATASET = Dataset(
    folder="quality",
    homepage="https://github.com/nyu-mll/quality",
    licence="unclear: the repository states none; every article carries its own, mostly Project Gutenberg",
    citation="Pang et al. 2022, QuALITY: Question Answering with Long Input Texts, Yes!, NAACL",
    instructions="Get QuALITY.v1.0.1.zip of the QuALITY repository (the zip itself or the files in it)",
    hub=tuple(HubFile(HUB, f"data/{split}-*.parquet", split) for split in ("train", "validation")),
)


def hard(sample: Sample) -> bool:
    """Whether the data marks the question as difficult."""
    return bool(sample.attributes.get("difficult"))


def texts(sample: Sample) -> tuple[str, ...]:
    """The words of the options as continuations."""
    return tuple(f" {option}" for option in sample.choices)


def spaced_letters(sample: Sample) -> tuple[str, ...]:
    """The letters of the options as continuations."""
    return tuple(f" {letter}" for letter in letters(sample))


TASKS = (
    Task(
        name="quality",
        suite="llama2-long",
        title="QuALITY: multiple choice on stories and articles",
        version=1,
        samples=samples,
        splits=("train", "validation", "test"),
        split="validation",
        train_split="train",
        protocols=(
            paper_protocol(
                score=score,
                max_new_tokens=10,
                asked=asked,
                answer=gold_letter,
                note="Options stand in the prompt; the answer is read as a letter or as an option's words.",
            ),
            paper_protocol(
                name="loglikelihood",
                score=score_texts,
                max_new_tokens=10,
                asked=asked,
                answer=first_reference,
                options=texts,
                note="No text is generated: the option with the highest log-likelihood by character is the answer.",
            ),
            paper_protocol(
                name="loglikelihood-letters",
                score=score_letters,
                max_new_tokens=10,
                asked=asked,
                answer=gold_letter,
                options=spaced_letters,
                note="No text is generated: the most probable letter is the answer.",
            ),
            scrolls_protocol(
                score=score_words,
                max_new_tokens=128,
                asked=asked_in_lines,
                note="The number of SCROLLS is exact_match: the option's words, a letter is wrong.",
            ),
        ),
        metrics=(
            Metric("accuracy", primary=True),
            Metric("exact_match", official="scrolls.exact_match"),
            Metric("accuracy_hard", subset=hard, averages="accuracy"),
        ),
        dataset=DATASET,
        paper="arXiv:2112.08608",
        note="Validation (the official dev), as the paper; test labels are not public.",
    ),
)
