"""Letters: questions about the letters of a lighthouse keeper.

Data: letters.jsonl, one letter a line: {"id", "text", "questions": [{"id", "question", "answer"}]}.
Metric: token F1, as SQuAD counts it.
"""

from collections.abc import Iterator

from evalsuite.metrics.squad import best, token_f1
from evalsuite.task import Dataset, Metric, PromptProtocol, Selection, Task
from evalsuite.types import Completion, Document, Part, Parts, Role, Sample, ScoredAnswer


def samples(selection: Selection) -> Iterator[Sample]:
    """Every question of every letter of the split."""
    for file in selection.source.need(f"{selection.split}.jsonl"):
        for row in file.records():
            letter = Document(row.text("id"), row.text("text"))
            for asked in row.rows("questions"):
                yield Sample(
                    id=asked.text("id"),
                    document=letter,
                    question=asked.text("question"),
                    references=(asked.text("answer"),),
                )


def asked(sample: Sample) -> Parts:
    """The letter, then the question; only the letter may be cut."""
    return (
        Part(Role.DOCUMENT, sample.document.text),
        Part(Role.QUESTION, f"\n\nQuestion: {sample.question}"),
        Part(Role.RESPONSE, "\nAnswer:"),
    )


def prompt(sample: Sample) -> Parts:
    """What is to be done, then the question; demonstrations go in between."""
    return (Part(Role.INSTRUCTION, "Read the letter and answer in a few words.\n\n"), *asked(sample))


def demonstration(sample: Sample) -> Parts:
    """A question with its answer."""
    return (*asked(sample), Part(Role.RESPONSE, f" {sample.references[0]}\n\n"))


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Token F1, 0 to 100, against the best reference."""
    answer = completion.text.strip()
    return ScoredAnswer({"f1": 100 * best(token_f1, answer, sample.references)}, answer)


TASKS = (
    Task(
        name="letters",
        suite="my-tasks",
        title="Letters: questions about a lighthouse keeper's letters",
        version=1,
        samples=samples,
        splits=("train", "validation"),
        split="validation",
        train_split="train",
        protocols=(
            PromptProtocol(
                name="plain",
                follows="ours",
                prompt=prompt,
                score=score,
                demonstrate=demonstration,
                max_new_tokens=32,
                stop=("\n",),
                strategy="document-middle",
            ),
        ),
        metrics=(Metric("f1", primary=True),),
        dataset=Dataset(
            folder="letters",
            homepage="https://example.org/letters",
            licence="CC0",
            citation="The lighthouse keeper",
            instructions="Write train.jsonl and validation.jsonl",
        ),
        paper="none",
    ),
)
