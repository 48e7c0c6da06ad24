"""Two cells are comparable only if the same was asked: whatever shapes a question is in its identity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.cells import Setting
from evalsuite.qa import paper_protocol
from evalsuite.records import Block
from evalsuite.runs.identity import QuestionIdentity, template_of
from evalsuite.task import Dataset, Metric, PromptProtocol, Task
from evalsuite.types import Document, Judgement, Part, Role, Sample

PROTOCOL = paper_protocol(judge=lambda *_: Judgement({}, ""), max_new_tokens=8)
TASK = Task(
    name="toy",
    suite="toys",
    title="Toy",
    version=1,
    samples=lambda *_: (),
    splits=("validation",),
    split="validation",
    protocols=(PROTOCOL,),
    metrics=(Metric("f1", primary=True),),
    dataset=Dataset("toy", "", "", "", ""),
    paper="",
)
BLOCK = Block(("toy",), shots=(1,))
SETTING = Setting("toys", "toy", "validation", "paper", 1, 0, 4096, None, "left")
SAMPLE = Sample("s", Document("d", "The king slept."), "Who?", ("the king",), ("a", "b"), 0)


def _identity(
    *,
    task: Task = TASK,
    protocol: PromptProtocol = PROTOCOL,
    setting: Setting = SETTING,
    sample: Sample = SAMPLE,
    block: Block = BLOCK,
    shown: str = "t1",
) -> str:
    identity = QuestionIdentity(task, protocol, setting, block)
    identity.add(sample, template_of(protocol, sample), (shown,))
    return identity.hexdigest()


def _reworded(sample: Sample) -> tuple[Part, ...]:
    before = Part(Role.INSTRUCTION, "Read. ")
    return (before, *PROTOCOL.prompt(sample))


def _other_role(sample: Sample) -> tuple[Part, ...]:
    return tuple(
        replace(part, role=Role.INSTRUCTION) if part.role is Role.QUESTION else part for part in PROTOCOL.prompt(sample)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"sample": replace(SAMPLE, document=Document("d", "The queen slept."))},
        {"sample": replace(SAMPLE, id="other")},
        {"sample": replace(SAMPLE, question="Where?")},
        {"sample": replace(SAMPLE, references=("the queen",))},
        {"sample": replace(SAMPLE, choices=("a", "c"))},
        {"sample": replace(SAMPLE, gold=1)},
        {"protocol": replace(PROTOCOL, prompt=_reworded)},
        {"protocol": replace(PROTOCOL, prompt=_other_role)},
        {"protocol": replace(PROTOCOL, name="other")},
        {"protocol": replace(PROTOCOL, max_new_tokens=9)},
        {"task": replace(TASK, version=2)},
        {"setting": replace(SETTING, max_prompt_tokens=8192)},
        {"setting": replace(SETTING, strategy="document-left")},
        {"setting": replace(SETTING, shots=2)},
        {"setting": replace(SETTING, seed=1)},
        {"block": replace(BLOCK, chat_template=True)},
        {"block": replace(BLOCK, template_date="2020-02-02")},
        {"block": replace(BLOCK, demo_documents="placeholder")},
        {"block": replace(BLOCK, share_prefix="aligned")},
        {"block": replace(BLOCK, max_new_tokens=3)},
        {"shown": "t2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_what_is_asked_is_another_question(change: dict[str, object]) -> None:
    assert _identity(**change) != _identity()  # type: ignore[arg-type]


def test_the_same_question_has_the_same_identity_whoever_builds_it() -> None:
    again = replace(SAMPLE, document=Document("d", "The king slept."))
    assert _identity(sample=again, protocol=replace(PROTOCOL, note="another note")) == _identity()
