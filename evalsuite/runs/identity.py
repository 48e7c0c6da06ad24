"""What makes two prompts, two questions or two completions the same: hashes of content, never of paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

from evalsuite.records import RunSpec
from evalsuite.task import PromptProtocol, Task
from evalsuite.types import Role, Sample, Setting
from evalsuite.work import Choose, Loss, Work


class _Decimals(dict[int, str]):
    """Ids as decimal text, written once: every prompt is hashed, and the same ids stand in all of them."""

    def __missing__(self, id_: int) -> str:
        self[id_] = text = str(id_)
        return text


_decimals = _Decimals()


def prompt_hash(ids: Sequence[int]) -> str:
    """SHA-256 of the decimal token ids joined by commas."""
    return sha256(",".join(map(_decimals.__getitem__, ids)).encode()).hexdigest()


def completion_key(model: str, prompt: str, work: Work) -> str:
    """The journal's key: model identity, prompt hash and what is asked of the model."""
    return sha256(json.dumps([model, prompt, *_asked(work)]).encode()).hexdigest()


def _asked(work: Work) -> list[object]:
    """What tells one kind of work and its settings from another; greedy answers are told by limit and stops alone."""
    if isinstance(work, Choose):
        return [list(map(list, work.options))]
    if isinstance(work, Loss):
        return ["loss"]
    greedy: list[object] = [work.max_new_tokens, list(work.stop)]
    return greedy if work.is_greedy else [*greedy, work.temperature, work.top_p, work.seed, work.answers]


def question_identity(
    task: Task,
    protocol: PromptProtocol,
    setting: Setting,
    samples: Iterable[Sample],
    demonstrations: Iterable[Sequence[str]],
    *,
    extra: Sequence[object] = (),
) -> str:
    """Hash of what was asked, whatever model answers: two cells that differ in it are not comparable.

    Covers the data (documents, questions, references), sample ids, protocol, template text, demonstration ids,
    task version, asked cap and strategy.
    """
    digest = sha256(_line([task.name, task.version, protocol.name, setting.key, protocol.max_new_tokens, *extra]))
    for sample, shown in zip(samples, demonstrations, strict=True):
        digest.update(_line([sample.id, sample.document.hash, sample.question, sample.references, sample.choices]))
        digest.update(_line([sample.gold, _template(protocol, sample), list(shown)]))
    return digest.hexdigest()


def cell_identity(
    spec: RunSpec,
    task: Task,
    protocol: PromptProtocol,
    setting: Setting,
    asked: Iterable[tuple[Sample, Sequence[str]]],
) -> str:
    """The question identity of a cell of a run.

    Args:
        spec: what was asked for.
        task: of the cell.
        protocol: of the cell.
        setting: of the cell.
        asked: its samples, each with the ids of its demonstrations.
    """
    pairs = list(asked)
    dated = () if spec.template_date is None else (spec.template_date,)
    extra = (spec.demo_documents, spec.chat_template, spec.max_new_tokens, spec.share_prefix, *dated)
    samples, shown = [sample for sample, _ in pairs], [list(ids) for _, ids in pairs]
    return question_identity(task, protocol, setting, samples, shown, extra=extra)


def imported_identity(task: Task, setting: Setting, samples: Iterable[Sample]) -> str:
    """The question identity of a cell of answers made elsewhere, whose prompts are unknown."""
    asked = [[s.id, s.document.hash, s.question, list(s.references), list(s.choices), s.gold] for s in samples]
    return sha256(json.dumps([task.name, task.version, setting.key, asked]).encode()).hexdigest()


def _template(protocol: PromptProtocol, sample: Sample) -> list[list[str]]:
    return [[part.role, "" if part.role is Role.DOCUMENT else part.text] for part in protocol.prompt(sample)]


def _line(values: Sequence[object]) -> bytes:
    return (json.dumps(values, ensure_ascii=True, default=list) + "\n").encode()
