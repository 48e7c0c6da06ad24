"""Riddles with four answers to choose from, one riddle a line: {"id", "text", "options", "right"}."""

from collections.abc import Iterator

from evalsuite.task import Dataset, Metric, PromptProtocol, Selection, Task
from evalsuite.types import Completion, Document, Part, Parts, Role, Sample, ScoredAnswer


def samples(selection: Selection) -> Iterator[Sample]:
    """One question a riddle."""
    for file in selection.source.need(f"{selection.split}.jsonl"):
        for row in file.records():
            choices, right = tuple(row.texts("options")), row.whole("right")
            riddle = Document(row.text("id"), row.text("text"))
            yield Sample(riddle.id, riddle, "What is it?", (choices[right],), choices, right)


def prompt(sample: Sample) -> Parts:
    """The riddle and its question."""
    return (
        Part(Role.DOCUMENT, sample.document.text),
        Part(Role.QUESTION, f"\n{sample.question}"),
        Part(Role.RESPONSE, "\nAnswer:"),
    )


def options(sample: Sample) -> tuple[str, ...]:
    """The answers as continuations of the prompt."""
    return tuple(f" {choice}" for choice in sample.choices)


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Accuracy of the likeliest answer."""
    likeliest = max(range(len(sample.choices)), key=lambda index: completion.options[index].logprob)
    return ScoredAnswer({"accuracy": 100.0 * (likeliest == sample.gold)}, sample.choices[likeliest])


def score_words(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Accuracy of an answer in words."""
    answer = completion.text.strip()
    return ScoredAnswer({"accuracy": 100.0 * (answer == sample.references[0])}, answer)


TASKS = (
    Task(
        name="riddles",
        suite="riddles",
        title="Riddles: one of four answers",
        version=1,
        samples=samples,
        splits=("validation",),
        split="validation",
        protocols=(
            PromptProtocol(name="likeliest", follows="ours", prompt=prompt, score=score, options=options),
            PromptProtocol(name="words", follows="ours", prompt=prompt, score=score_words, stop=("\n",)),
        ),
        metrics=(Metric("accuracy", primary=True),),
        dataset=Dataset("riddles", "https://example.org/riddles", "CC0", "Tradition", "Write validation.jsonl"),
        paper="none",
    ),
)
