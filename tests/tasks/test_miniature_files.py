"""Every reader, prompt and scorer on made-up miniature files in the publishers' formats: on any machine, in seconds."""

from __future__ import annotations

import hashlib
import json
from itertools import groupby
from pathlib import Path

import pytest
from miniature import MINIATURES, NARRATIVEQA_CSV, Miniature

from evalsuite.plugins import find_tasks
from evalsuite.sources import open_source
from evalsuite.task import Selection
from evalsuite.types import Completion, OptionScore, Sample

TASKS = find_tasks()
PROMPTS = Path(__file__).with_name("miniature_prompts.json")
"""SHA-256 of every prompt's text by task and protocol, taken where the official prompts' golden cases all agreed."""

each = pytest.mark.parametrize("one", MINIATURES, ids=lambda one: one.name)


def read(one: Miniature, root: Path) -> tuple[list[Sample], tuple[str, ...]]:
    task = TASKS[one.task]
    source = open_source(task.dataset, one.write(root), split=one.split)
    return list(task.samples(Selection(source, one.split))), source.notes


@each
def test_every_question_is_read_with_its_document_and_references(one: Miniature, tmp_path: Path) -> None:
    samples, _ = read(one, tmp_path)
    assert len({sample.id for sample in samples}) == len(samples) == one.questions
    assert len([name for name, _ in groupby(sample.document.id for sample in samples)]) == one.documents
    assert all(sample.references and sample.question for sample in samples)
    whole = "questions" in one.path or "train_qas" in one.path or "question_dict" in one.path
    assert all(bool(sample.document.text) != whole for sample in samples)


@each
def test_the_gold_answer_takes_the_full_score_and_another_less(one: Miniature, tmp_path: Path) -> None:
    task = TASKS[one.task]
    primary = next(metric for metric in task.metrics if metric.primary)
    for sample in read(one, tmp_path)[0]:
        right = task.protocols[0].score(sample, Completion("k", text=_gold(one, sample))).values
        wrong = task.protocols[0].score(sample, Completion("k", text="zzz")).values
        said = {name: value for name, value in right.items() if name in (primary.name, *primary.of)}
        assert set(said.values()) == {100.0}
        assert sum(wrong[name] for name in said) < sum(said.values()) or (one.task, sample.references) == A_GUESSED


A_GUESSED = ("leval_tpo", ("A",))
"""The official rule reads an answer without a letter as A."""


def _gold(one: Miniature, sample: Sample) -> str:
    if "sci_fi" in one.task:
        return sample.references[0].lower().partition(" [fact: ")[sample.attributes["asked"] == "fact" and 2].strip("]")
    return f"The answer is {sample.references[0]}" if "gsm" in one.task else sample.references[0]


def test_prompts_are_what_they_were_where_the_official_ones_agreed(tmp_path: Path) -> None:
    found = {}
    for number, one in enumerate(MINIATURES):
        samples, _ = read(one, tmp_path / str(number))
        for protocol in TASKS[one.task].protocols:
            texts = ["\0".join(f"{part.role}:{part.text}" for part in protocol.prompt(sample)) for sample in samples]
            assert all(sample.document.text in text for sample, text in zip(samples, texts, strict=True)) or (
                one.task == "leval_sci_fi"
            )
            found[f"{one.name} {protocol.name}"] = hashlib.sha256("\1".join(texts).encode()).hexdigest()
    assert found == json.loads(PROMPTS.read_text()), "prompts changed: compare them with the official code's"


def test_the_evidence_of_papers_and_meetings_lies_in_their_text(tmp_path: Path) -> None:
    for number, one in enumerate(
        one for one in MINIATURES if one.path.endswith(("v0.3.json", "dev.jsonl", "val.jsonl"))
    ):
        if one.task not in ("qasper", "qmsum"):
            continue
        marked = [sample for sample in read(one, tmp_path / str(number))[0] if sample.evidence]
        assert marked
        for sample in marked:
            said = [sample.document.text[span.start : span.end] for span in sample.evidence or ()]
            assert set(said) <= {"It was red.", "The fox ran.", "Ann1: Shall we buy bread?\nBob: Yes."}


@pytest.mark.parametrize("name", ["narrativeqa", "narrativeqa_summary", "zeroscrolls-rebuilt_narrative_qa"])
def test_the_official_files_of_narrativeqa_are_read(name: str, tmp_path: Path) -> None:
    for path, text in NARRATIVEQA_CSV.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    source = open_source(TASKS[name].dataset, tmp_path, split="validation")
    samples = list(TASKS[name].samples(Selection(source, "validation")))
    assert [sample.id for sample in samples] == ["d1/0", "d1/1", "d2/0"]
    assert samples[0].references == ("Ann.", "Ann")
    expected = "Ann came." if name.endswith("summary") else "The fox asked the owl"
    assert samples[0].document.text.startswith(expected)
    assert not samples[0].document.text.endswith("More.")


def test_rows_for_judges_and_questions_without_texts_are_told(tmp_path: Path) -> None:
    notes = {one.name: " ".join(read(one, tmp_path / str(number))[1]) for number, one in enumerate(MINIATURES)}
    assert "not asked: 1" in notes["leval_multidoc_qa:leval/Open-ended-tasks/multidoc_qa.jsonl"]
    assert "without the papers' text" in notes["qasper:qasper/qasper_dev_question_dict.json"]
    assert "count from 1" in notes["quality:quality/QuALITY.v1.0.1.htmlstripped.dev"]
    assert "too few to tell close models apart" in notes["zeroscrolls_qasper:zero_scrolls/qasper/validation.jsonl"]
    assert "third-party copy" in notes["narrativeqa:narrativeqa/summaries_qa/dev.json"]


def test_likelihoods_choose_an_option(tmp_path: Path) -> None:
    one = next(one for one in MINIATURES if one.task == "quality")
    sample = read(one, tmp_path)[0][0]
    options = tuple(OptionScore(-9.0 + (index == sample.gold) * 8, 1, greedy=False) for index in range(4))
    for name in ("loglikelihood", "loglikelihood-letters"):
        protocol = TASKS["quality"].protocol(name)
        assert protocol.options is not None
        assert len(protocol.options(sample)) == 4
        assert protocol.score(sample, Completion("k", options=options)).values["accuracy"] == 100.0


def test_every_kind_of_task_has_a_miniature() -> None:
    here = {one.task for one in MINIATURES}
    shared = ("leval_", "zeroscrolls-rebuilt_summ_screen")
    assert not {name for name in TASKS if name not in here and not name.startswith(shared)}
    judged = {metric.name for name in here for metric in TASKS[name].metrics if metric.primary}
    assert {"exam", "f1", "rougeL", "rouge_geo", "accuracy", "exp_similarity", "concordance_index"} <= judged
