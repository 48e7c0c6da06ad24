"""The generated benchmark is written in the publishers' layouts, and the real readers read it back."""

from pathlib import Path

import pytest

from evalsuite.demo.formats import write_world
from evalsuite.plugins import find_tasks
from evalsuite.sources import open_source
from evalsuite.task import Selection

TASKS = find_tasks()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    write_world(root, lengths=(1024,), documents=3, questions=4)
    return root / "length-1024"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("name", ["narrativeqa", "narrativeqa_summary", "qasper", "quality", "qmsum"])
def test_every_document_and_question_is_read_back(world: Path, name: str, split: str) -> None:
    task = TASKS[name]
    source = open_source(task.dataset, world, split=split)
    samples = list(task.samples(Selection(source, split)))
    assert len({sample.document.id for sample in samples}) == 3
    assert len({sample.id for sample in samples}) == len(samples) == 12
    assert all(sample.references and sample.document.text for sample in samples)
    assert not any("not found" in note or "no story" in note for note in source.notes)


@pytest.mark.parametrize("name", ["qasper", "qmsum"])
def test_evidence_lies_where_the_world_put_the_fact(world: Path, name: str) -> None:
    task = TASKS[name]
    samples = list(task.samples(Selection(open_source(task.dataset, world, split="validation"), "validation")))
    located = [sample for sample in samples if sample.evidence]
    assert located
    for sample in located:
        said = " ".join(sample.document.text[span.start : span.end] for span in sample.evidence or ())
        names = [word.strip("?.") for word in sample.question.split()]
        assert any(word in said for word in names[-1:]), (sample.question, said)
