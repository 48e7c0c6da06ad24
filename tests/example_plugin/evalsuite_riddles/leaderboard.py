"""What the riddles bring besides their task: how answers to them are published, and what their leaderboard takes.

Both are lines of an id, a colon and the answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from evalsuite.benchmark import Benchmark, Predictions, Submission, TaskAnswers
from evalsuite.errors import UsageError
from evalsuite.predictions.joined import Answer, joined
from evalsuite.task import Task


def read(files: Sequence[Path], tasks: Mapping[str, Task], data: Path | None) -> Iterator[TaskAnswers]:
    """The answers of all files, joined to the riddles by id."""
    answers = [
        Answer(name, text.strip(), f"{file}:{number}")
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        for name, _, text in [line.partition(":")]
    ]
    yield joined(tasks["riddles"], answers, data)


def write(answers: Mapping[str, Mapping[str, str]], expected: Mapping[str, Iterable[str]]) -> str:
    """The leaderboard's file; every riddle has to be answered."""
    missing = [name for name in expected["riddles"] if name not in answers["riddles"]]
    if missing:
        raise UsageError(f"{len(missing)} riddles are not answered, {missing[0]} for one; answer them all")
    return "".join(f"{name}: {text}\n" for name, text in answers["riddles"].items())


BENCHMARK = Benchmark(
    predictions=(Predictions(name="riddles", read=read),),
    submission=Submission(suite="riddles", split="validation", tasks={"riddles": "riddles"}, write=write),
)
