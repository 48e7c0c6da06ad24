"""Two cells are comparable only if the same was asked: whatever shapes a question is in its identity."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from evalsuite.cells import Setting
from evalsuite.qa import paper_protocol
from evalsuite.records import Block
from evalsuite.runs.identity import (
    QuestionIdentity,
    _Decimals,
    completion_key,
    imported_identity,
    prompt_hash,
    template_of,
)
from evalsuite.task import Dataset, Metric, PromptProtocol, Task
from evalsuite.types import Document, Part, Role, Sample, ScoredAnswer
from evalsuite.work import Choose, Generate, Loss, Work

PROTOCOL = paper_protocol(score=lambda *_: ScoredAnswer({}, ""), max_new_tokens=8)
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
        {"task": replace(TASK, metrics=(Metric("f1", primary=True, version=2),))},
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


def _hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_a_prompt_is_known_by_its_token_ids_in_decimal() -> None:
    assert prompt_hash((7, 1234567, 7, 0)) == _hash_of("7,1234567,7,0")
    assert prompt_hash((7, 1234567, 7, 0)) == prompt_hash([7, 1234567, 7, 0])
    assert prompt_hash(()) == _hash_of("")
    kept = _Decimals()
    assert [kept[7], kept[7], kept] == ["7", "7", {7: "7"}]


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (Generate(8, ("\n", "Q:")), r'["m", "p", 8, ["\n", "Q:"]]'),
        (Generate(8), '["m", "p", 8, []]'),
        (Generate(8, temperature=0.5, top_p=0.9, seed=3, answers=2), '["m", "p", 8, [], 0.5, 0.9, 3, 2]'),
        (Choose(((1, 2), (3,))), '["m", "p", [[1, 2], [3]]]'),
        (Loss(), '["m", "p", "loss"]'),
    ],
)
def test_answers_are_found_again_under_the_key_that_older_runs_wrote(work: Work, text: str) -> None:
    assert completion_key("m", "p", work) == _hash_of(text)


def test_the_identity_of_a_question_is_that_of_runs_already_written() -> None:
    sample = Sample("s\u00e9", Document("d", "Le roi"), "Qui ?", ("roi",), ("a", "b"), 1)
    head = '["toy", 1, "paper", "toy/validation/paper/1-shot/seed-0/cap-4096/left", 8, "whole", false, null, "off"]\n'
    data = rf'["s\u00e9", "{sample.document.hash}", "Qui ?", ["roi"], ["a", "b"]]'
    shown = '[1, [["document", ""], ["question", " Q: Qui ?"], ["response", ", A:"]], ["t1"]]'
    assert _identity(sample=sample) == _hash_of(f"{head}{data}\n{shown}\n")
    dated = head.replace('"off"]', '"off", "2020-02-02"]')
    block = replace(BLOCK, template_date="2020-02-02")
    assert _identity(sample=sample, block=block) == _hash_of(f"{dated}{data}\n{shown}\n")


def test_the_identity_of_imported_answers_covers_all_that_is_known_of_the_question() -> None:
    sample = Sample("s", Document("d", "Le roi"), "Qui ?", ("roi",), ("a", "b"), 1)
    asked = f'[["s", "{sample.document.hash}", "Qui ?", ["roi"], ["a", "b"], 1]]'
    text = f'["toy", 1, "toy/validation/paper/1-shot/seed-0/cap-4096/left", {asked}]'
    assert imported_identity(TASK, SETTING, (sample,)) == _hash_of(text)
