"""lm-evaluation-harness's tasks as ours: ``--tasks lm-eval:NAME`` or ``lm-eval:NAME@SHOTS``.

lm-eval reads the data, draws the demonstrations and writes the prompts; our engine answers them, within our budget and
with our record; lm-eval's filters and ``process_results`` score the answers. NAME may be a task, a group, or a path to
a YAML file. A group whose subtasks lm-eval averages by their size becomes one task over all their samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from evalsuite.checked.calls import guarded
from evalsuite.errors import UsageError, needs, unknown
from evalsuite.interop.harness_doc import Asked, asked_of, options_of, prompt_of, split_prompt
from evalsuite.interop.harness_scoring import metric_names, score_doc
from evalsuite.task import Dataset, HubFile, Metric, PromptProtocol, Task
from evalsuite.types import Completion, Document, Sample, ScoredAnswer

SCHEME = "lm-eval:"
FEWSHOT_SEED = 1234
"""What ``lm_eval run`` seeds its draw of demonstrations with."""
_DRAWING = Lock()
"""One subtask's prompts are made at a time: a run reads samples from several threads."""
SUITES: Mapping[str, tuple[str, ...]] = {
    "llama2-short": (
        "humaneval@0",
        "mbpp@3",
        "gsm8k@8",
        "minerva_math@4",
        "mmlu@5",
        "piqa@0",
        "social_iqa@0",
        "hellaswag@0",
        "winogrande@0",
        "arc_easy@0",
        "arc_challenge@0",
        "openbookqa@0",
        "commonsense_qa@7",
        "nq_open@5",
        "triviaqa@5",
        "truthfulqa_mc1@0",
        "truthfulqa_mc2@0",
    )
}
"""Groups of ours: the short tasks of Llama 2 Long with its shots (arXiv:2307.09288 section 2.3 and Table 22), and
TruthfulQA besides."""


@dataclass(frozen=True, slots=True)
class Named:
    """A task as asked for: its name, or the path of its YAML file, and the demonstrations."""

    name: str
    shots: int | None
    """None takes what the task's YAML says."""
    suite: str = "lm-eval"

    @property
    def title(self) -> str:
        """The name it has in a run."""
        stem = Path(self.name).stem if self.name.endswith(".yaml") else self.name
        return f"{SCHEME}{stem}" + ("" if self.shots is None else f"@{self.shots}")


def is_harness(name: str) -> bool:
    """Whether ``--tasks`` means a task of lm-eval by this name."""
    return name.startswith(SCHEME) or name in SUITES


def harness_tasks(names: Iterable[str], *, files: bool = True) -> tuple[Task, ...]:
    """The tasks of these names, in order.

    Args:
        names: of tasks or groups, or paths of YAML files.
        files: whether a file may be loaded, with the code it names; False where the names are out of a record.

    Raises:
        UsageError: lm-eval is not installed, knows no such task, cannot load it, or it asks for what we cannot do.
    """
    found = (task for name in names for named in _named(name) for task in _tasks(named, files=files))
    return tuple(guarded(task, f"lm-eval's {task.name.removeprefix(SCHEME)}") for task in found)


def _named(name: str) -> Iterator[Named]:
    members = SUITES.get(name)
    for member in members or (name.removeprefix(SCHEME),):
        title, at, shots = member.rpartition("@")
        if at and not shots.isdecimal():
            raise UsageError(f"--tasks {name}: behind the @ stands the number of demonstrations, as in lm-eval:gsm8k@8")
        yield Named(title if at else member, int(shots) if at else None, name if members else "lm-eval")


def _tasks(named: Named, *, files: bool) -> Iterator[Task]:
    loaded = _load(named, files=files)
    parts: dict[str, Any] = dict(loaded["tasks"])
    for part in parts.values():
        _prepare(part, named)
    groups = loaded["groups"].values()
    pooled = bool(groups) and all(_by_size(group) for group in groups) and _alike(parts)
    if len(parts) == 1 or pooled:
        yield _task(named, named.title, parts)
    else:
        yield from (_task(named, f"{SCHEME}{name}", {name: part}) for name, part in parts.items())


def _load(named: Named, *, files: bool) -> Any:
    """What lm-eval makes of a name: ``tasks`` and ``groups`` by name."""
    path = Path(named.name)
    if named.name.endswith(".yaml") and not files:
        asked = f"{SCHEME}{named.name}"
        raise UsageError(
            f"the run asked {asked}, a file that may name code; a run directory loads none: if you trust the file, "
            f"name it on the command line (--tasks {asked})"
        )
    if named.name.endswith(".yaml") and not path.is_file():
        raise UsageError(f"--tasks {SCHEME}{named.name}: no such file")
    is_file = files and path.is_file()
    manager = _manager(defaults=not is_file)
    if not is_file and named.name not in manager.all_tasks:
        raise UsageError(unknown("lm-eval task", named.name, manager.all_tasks))
    try:
        return manager.load([str(path.resolve()) if is_file else named.name])
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(f"{named.title}: lm-eval cannot load it: {reason[0]}") from error


@cache
def _manager(*, defaults: bool) -> Any:
    with needs("hf", "--tasks lm-eval:"):
        from lm_eval.tasks import TaskManager
    return TaskManager(include_defaults=defaults)


def _prepare(part: Any, named: Named) -> None:
    """Sets the demonstrations, as ``lm_eval run --num_fewshot`` does, and refuses what we cannot ask."""
    fixed = part.get_config("num_fewshot")
    if named.shots is not None and fixed != 0:
        part.set_config("num_fewshot", named.shots)
    elif fixed is None:
        part.set_config("num_fewshot", 0)
    if named.shots and fixed == 0:
        raise UsageError(f"{named.title}: lm-eval defines {part.task_name} without demonstrations")
    if part.OUTPUT_TYPE == "loglikelihood_rolling" or (part.get_config("repeats") or 1) > 1:
        raise UsageError(f"{named.title}: perplexity over whole texts and repeated samples are not supported")
    if not metric_names(part):
        raise UsageError(f"{named.title}: none of its metrics is a mean over samples, higher being better")


def _by_size(group: Any) -> bool:
    rules = group.aggregate_metric_list
    return bool(rules) and all(rule.weight_by_size for rule in rules)


def _alike(parts: Mapping[str, Any]) -> bool:
    """Whether all subtasks are asked and scored the same way."""
    return len({(part.OUTPUT_TYPE, metric_names(part), _limits(part)) for part in parts.values()}) == 1


def _limits(part: Any) -> tuple[int, tuple[str, ...]]:
    how = part.get_config("generation_kwargs") or {}
    until = how.get("until") or ()
    stop = (until,) if isinstance(until, str) else tuple(until)
    return int(how.get("max_gen_toks") or 256), stop


def _task(named: Named, title: str, parts: Mapping[str, Any]) -> Task:
    first = next(iter(parts.values()))
    split = first.config.test_split if first.has_test_docs() else first.config.validation_split
    shots = first.get_config("num_fewshot") or 0
    found = metric_names(first)
    most, stop = _limits(first)
    protocol = PromptProtocol(
        name=f"lm-eval-{shots}-shot",
        follows=f"lm_eval {_version()}, task {named.name}",
        prompt=prompt_of,
        own_shots=shots,
        score=lambda sample, completion: _score(parts, sample, completion),
        max_new_tokens=most,
        stop=stop,
        options=None if first.OUTPUT_TYPE == "generate_until" else options_of,
        note=f"Prompt, {shots} demonstrations and scores are lm-eval's.",
    )
    return Task(
        name=title,
        suite=named.suite,
        title=f"{named.name} of lm-evaluation-harness",
        version=1,
        samples=lambda _: _samples(parts),
        splits=(split,),
        split=split,
        protocols=(protocol,),
        metrics=tuple(Metric(name, primary=name == _primary(found)) for name in found),
        dataset=_dataset(first, split),
        paper="see the README of the task in lm-evaluation-harness",
        note="lm-eval reads the data itself, at the revision its task names or else the newest.",
    )


def _samples(parts: Mapping[str, Any]) -> Iterator[Sample]:
    """The docs of all subtasks, each a sample with its own prompt as document."""
    for name, part in parts.items():
        for number, asked in _drawn(part):
            yield _sample(f"{name}/{number}", asked, {"task": name, "doc": number})


def _drawn(part: Any) -> list[tuple[int, Asked]]:
    """All prompts of a subtask, made in one go.

    The draw of demonstrations goes on from doc to doc, in a state that the subtask keeps. Begun anew it gives the same
    prompts again, but not where another reading of the same subtask draws in between.
    """
    with _DRAWING:
        part.set_fewshot_seed(FEWSHOT_SEED)
        return [(number, asked_of(part, doc)) for number, doc in part.doc_iterator()]


def _sample(identity: str, asked: Asked, where: Mapping[str, Any]) -> Sample:
    attributes = {**where, "options": list(asked.options), "pairs": asked.pairs}
    head, tail = split_prompt(asked.prompt)
    return Sample(identity, Document(identity, head), tail, (asked.target,), attributes=attributes)


def _score(parts: Mapping[str, Any], sample: Sample, completion: Completion) -> ScoredAnswer:
    part = parts[sample.attributes["task"]]
    return score_doc(part, part.eval_docs[sample.attributes["doc"]], sample, completion)


def _primary(names: tuple[str, ...]) -> str:
    """Length-normalised accuracy where a task has it, else its first metric."""
    return next((name for name in names if name == "acc_norm"), names[0])


def _dataset(part: Any, split: str) -> Dataset:
    where = str(part.config.dataset_path)
    return Dataset(
        folder="lm-eval",
        homepage=where,
        licence="see the dataset's own page",
        citation="see the README of the task in lm-evaluation-harness",
        instructions="lm-eval fetches it with datasets.load_dataset",
        hub=(HubFile(where, "as lm-eval reads it", split),),
    )


def _version() -> str:
    from importlib.metadata import version

    return version("lm_eval")


__all__ = ["SCHEME", "SUITES", "harness_tasks", "is_harness"]
