"""LongBench's NarrativeQA: 200 questions on stories, a story each.

Bai et al. 2023, "LongBench: A Bilingual, Multitask Benchmark for Long Context Understanding", arXiv:2308.14508.
Data: THUDM/LongBench on the hub, data.zip (MIT). Metric: LongBench's token F1, best of the references.
"""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.metrics.longbench import qa_f1_score
from evalsuite.task import Dataset, HubFile, Metric, PromptProtocol, Selection, Task
from evalsuite.types import Completion, Document, Part, Parts, Role, Sample, ScoredAnswer

# word for word THUDM/LongBench@2e00731, config/dataset2prompt.json
SHORTLY = "asconcisely as you can, using a single phrase if possible. Do not provide any explanation."
ABOUT = "You are given a story, which can be either a novel or a movie script, and a question."

DATASET = Dataset(
    folder="longbench",
    homepage="https://huggingface.co/datasets/THUDM/LongBench",
    licence="MIT for the repository; NarrativeQA is Apache-2.0",
    citation="Bai et al. 2023, LongBench: A Bilingual, Multitask Benchmark for Long Context Understanding, ACL 2024",
    instructions="Get data.zip of THUDM/LongBench from the Hugging Face hub (the zip, or narrativeqa.jsonl out of it)",
    hub=(HubFile("THUDM/LongBench", "data.zip::data/narrativeqa.jsonl", "test"),),
)


def samples(selection: Selection) -> Iterator[Sample]:
    """Every row; rows that share a story follow each other."""
    stories: dict[str, list[Sample]] = {}
    for row in selection.source.need("data/narrativeqa.jsonl", "narrativeqa*.jsonl")[0].records():
        text = row.text("context")
        document = stories[text][0].document if text in stories else Document(f"story-{len(stories)}", text)
        asked = Sample(row.identifier("_id"), document, row.text("input"), tuple(row.some_texts("answers")))
        stories.setdefault(text, []).append(asked)
    for group in stories.values():
        yield from group


def prompt(sample: Sample) -> Parts:
    """The official template."""
    return (
        Part(Role.INSTRUCTION, f"{ABOUT} Answer the question {SHORTLY}\n\nStory: "),
        Part(Role.DOCUMENT, sample.document.text),
        Part(Role.QUESTION, f"\n\nNow, answer the question based on the story {SHORTLY}\n\n"),
        Part(Role.QUESTION, f"Question: {sample.question}\n\n"),
        Part(Role.RESPONSE, "Answer:"),
    )


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Token F1."""
    answer = completion.text.strip()
    return ScoredAnswer({"qa_f1_score": 100 * qa_f1_score(answer, sample.references)}, answer)


TASKS = (
    Task(
        name="longbench_narrativeqa",
        suite="longbench",
        title="LongBench NarrativeQA: questions about stories",
        version=1,
        samples=samples,
        splits=("test",),
        split="test",
        protocols=(
            PromptProtocol(
                name="longbench",
                follows="THUDM/LongBench@2e00731, pred.py and config/",
                prompt=prompt,
                score=score,
                max_new_tokens=128,
                strategy="document-middle",
                note="The official cut takes the middle of the whole prompt by tokens; here it is the document's.",
            ),
        ),
        metrics=(Metric("qa_f1_score", primary=True, official="longbench.qa_f1_score", scale=100),),
        dataset=DATASET,
        paper="arXiv:2308.14508",
        note="The only split; its answers are public.",
    ),
)
