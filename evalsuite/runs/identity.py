"""Hashes that say whether prompts, questions or completions are the same. They are of content, never of paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

from evalsuite.cells import Setting
from evalsuite.records import Block
from evalsuite.task import PromptProtocol, Task
from evalsuite.types import Role, Sample
from evalsuite.work import Choose, Loss, Work

Template: TypeAlias = list[list[str]]
"""Role and text of every part of a prompt."""


class _Decimals(dict[int, str]):
    """Ids as decimal text. Each is written once, because all prompts use the same ids."""

    def __missing__(self, id_: int) -> str:
        self[id_] = text = str(id_)
        return text


_decimals = _Decimals()


def prompt_hash(ids: Sequence[int]) -> str:
    """SHA-256 of the decimal token ids joined by commas."""
    return sha256(",".join(map(_decimals.__getitem__, ids)).encode()).hexdigest()


def completion_key(model: str, prompt: str, work: Work) -> str:
    """The key of the journal: a hash of model identity, prompt hash and kind of work."""
    return sha256(json.dumps([model, prompt, *_asked(work)]).encode()).hexdigest()


def _asked(work: Work) -> list[object]:
    """What identifies the work and its settings. For greedy answers these are the limit and the stop strings."""
    if isinstance(work, Choose):
        return [list(map(list, work.options))]
    if isinstance(work, Loss):
        return ["loss"]
    greedy: list[object] = [work.max_new_tokens, list(work.stop)]
    return greedy if work.is_greedy else [*greedy, work.temperature, work.top_p, work.seed, work.answers]


class QuestionIdentity:
    """Hash of what a cell asks, without the model. Two cells with different hashes are not comparable.

    Covers the data (documents, questions, references), sample ids, protocol, template text, demonstration ids,
    task and metric versions, asked cap and strategy. Samples are added one by one, in file order.
    """

    def __init__(self, task: Task, protocol: PromptProtocol, setting: Setting, block: Block) -> None:
        dated = () if block.template_date is None else (block.template_date,)
        asked = (block.demo_documents, block.chat_template, block.max_new_tokens, block.share_prefix, *dated)
        changed = [[metric.name, metric.version] for metric in task.metrics if metric.version != 1]
        head = [task.name, task.version, protocol.name, setting.key, protocol.max_new_tokens, *asked, *changed]
        self._digest = sha256(_line(head))

    def add(self, sample: Sample, template: Template, demonstrations: Sequence[str]) -> None:
        """Adds a sample.

        Args:
            sample: the next one.
            template: its ``template_of``.
            demonstrations: sample ids of what is shown before it.
        """
        asked = [sample.id, sample.document.hash, sample.question, sample.references, sample.choices]
        self._digest.update(_line(asked))
        self._digest.update(_line([sample.gold, template, list(demonstrations)]))

    def hexdigest(self) -> str:
        """The hash of what was added so far."""
        return self._digest.hexdigest()


def metric_versions(tasks: Iterable[Task]) -> dict[str, int]:
    """Version of every metric of tasks, as ``task/metric``."""
    return {f"{task.name}/{metric.name}": metric.version for task in tasks for metric in task.metrics}


def template_of(protocol: PromptProtocol, sample: Sample) -> Template:
    """The roles and texts of a sample's prompt, without its document."""
    return [[part.role, "" if part.role is Role.DOCUMENT else part.text] for part in protocol.prompt(sample)]


def imported_identity(task: Task, setting: Setting, samples: Iterable[Sample]) -> str:
    """The question identity of a cell of imported answers. Their prompts are unknown."""
    asked = [[s.id, s.document.hash, s.question, list(s.references), list(s.choices), s.gold] for s in samples]
    return sha256(json.dumps([task.name, task.version, setting.key, asked]).encode()).hexdigest()


def _line(values: Sequence[object]) -> bytes:
    return (json.dumps(values, ensure_ascii=True, default=list) + "\n").encode()
