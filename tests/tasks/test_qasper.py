import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.sources import FolderSource, open_source
from evalsuite.task import Selection
from evalsuite.types import Completion, Sample

TASK = find_tasks()["qasper"]


def answer(**fields: Any) -> dict[str, Any]:
    blank = {"unanswerable": False, "extractive_spans": [], "yes_no": None, "free_form_answer": "", "evidence": []}
    return {**blank, "highlighted_evidence": [], **fields}


def paper(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": "T",
        "abstract": "Ab.",
        "full_text": [
            {"section_name": "Intro", "paragraphs": ["First.", "Second."]},
            {"section_name": None, "paragraphs": ["Third."]},
        ],
        "qas": [{"question": "Why?", "question_id": "q1", "answers": [{"answer": a} for a in annotations]}],
    }


def open_at(root: Path, split: str) -> FolderSource:
    return open_source(TASK.dataset, root, split=split)


def read(root: Path, split: str) -> list[Sample]:
    return list(TASK.samples(Selection(open_at(root, split), split)))


def write(root: Path, content: object, name: str = "qasper-dev-v0.3.json") -> None:
    (root / name).write_text(json.dumps(content, indent=1))


def counts(samples: list[Sample]) -> tuple[int, int]:
    assert len({sample.id for sample in samples}) == len(samples)
    return len({sample.document.id for sample in samples}), len(samples)


def test_the_train_sample_has_ten_papers_and_located_evidence(real_data: Path) -> None:
    samples = read(real_data, "train")
    assert counts(samples) == (10, 51)
    assert sum(len(sample.references) for sample in samples) == 68
    assert sum(sample.evidence is not None for sample in samples) > 40


def test_the_official_fixture_loads(real_data: Path, tmp_path: Path) -> None:
    shutil.copy(real_data / "qasper" / "qasper_sample_small.json", tmp_path)
    samples = read(tmp_path, "train")
    assert counts(samples) == (1, 4)
    assert [sample.references for sample in samples] == [
        ("a vocabulary", "using seed lexicon"),
        ("Yes",),
        ("Unanswerable",),
        ("Conclusion paragraph",),
    ]


def test_the_flattened_papers_load_and_their_unusable_references_are_counted(real_data: Path) -> None:
    source = open_at(real_data, "test")
    samples = list(TASK.samples(Selection(source, "test")))
    assert counts(samples)[1] == 270 - 188
    assert "188 questions have no usable reference and are not asked" in source.notes


@pytest.mark.parametrize(
    ("split", "pattern", "expected"),
    [("validation", "qasper_dev_question_dict*", (255, 647)), ("train", "qasper_train_qas*", (813, 2058))],
)
def test_files_with_questions_only_give_samples_without_text(
    real_data: Path, tmp_path: Path, split: str, pattern: str, expected: tuple[int, int]
) -> None:
    for file in (real_data / "qasper").glob(pattern):
        shutil.copy(file, tmp_path)
    source = open_at(tmp_path, split)
    samples = list(TASK.samples(Selection(source, split)))
    unasked = sum(int(note.split()[0]) for note in source.notes if note.endswith("are not asked"))
    assert counts(samples)[1] + unasked == expected[1]
    assert counts(samples)[0] <= expected[0]
    assert not any(sample.document.text for sample in samples)
    assert any("without the papers' text" in note for note in source.notes)


def test_references_follow_the_official_evaluator_one_an_annotator(tmp_path: Path) -> None:
    annotations = (
        answer(unanswerable=True, extractive_spans=["x"]),
        answer(extractive_spans=["one", "two"], free_form_answer="free"),
        answer(free_form_answer="free", yes_no=True),
        answer(yes_no=False),
        answer(),
    )
    write(tmp_path, {"p": paper(*annotations)})
    (sample,) = read(tmp_path, "validation")
    assert sample.references == ("Unanswerable", "one, two", "free", "No")
    assert sample.attributes["answer_types"] == ["none", "extractive", "abstractive", "boolean"]


def test_the_document_is_title_abstract_and_sections_and_evidence_lies_in_it(tmp_path: Path) -> None:
    evidence = ["Third.", "FLOAT SELECTED: Table 1", "Second."]
    write(tmp_path, {"p": paper(answer(yes_no=True, evidence=evidence), answer(yes_no=True, evidence=["Third."]))})
    (sample,) = read(tmp_path, "validation")
    assert sample.document.text == "T\n\nAb.\n\nIntro\nFirst.\nSecond.\n\nThird."
    assert sample.evidence is not None
    assert [sample.document.text[span.start : span.end] for span in sample.evidence] == ["Second.", "Third."]


def test_an_empty_paper_gives_samples_with_empty_text(tmp_path: Path) -> None:
    empty = {**paper(answer(yes_no=True)), "title": "", "abstract": "", "full_text": []}
    write(tmp_path, {"p": empty})
    assert [sample.document.text for sample in read(tmp_path, "validation")] == [""]


def test_questions_without_a_usable_reference_are_counted_not_dropped_in_silence(tmp_path: Path) -> None:
    write(tmp_path, {"p": paper(answer())})
    source = open_at(tmp_path, "validation")
    assert list(TASK.samples(Selection(source, "validation"))) == []
    assert source.notes == ("1 questions have no usable reference and are not asked",)


def test_a_malformed_annotation_is_named_by_file_and_full_field(tmp_path: Path) -> None:
    write(tmp_path, {"p": paper(answer(unanswerable="no"))})
    with pytest.raises(
        UsageError, match=r"qasper-dev-v0\.3\.json:1: field 'p\.qas\[0\]\.answers\[0\]\.answer\.unanswerable'"
    ):
        read(tmp_path, "validation")


def test_a_columnar_row_whose_columns_differ_in_length_is_refused(tmp_path: Path) -> None:
    row = {"id": "p", "title": "T", "abstract": "A", "qas": {"question": [], "answers": []}}
    row["full_text"] = {"section_name": ["Intro"], "paragraphs": []}
    (tmp_path / "dev.jsonl").write_text("\n" + json.dumps(row))
    with pytest.raises(UsageError, match=r"dev\.jsonl:2: field 'full_text\.paragraphs' has 0 sections"):
        read(tmp_path, "validation")


@pytest.mark.parametrize("answers", ["['a']", "__import__('os')", "['a', 3]", "[" * 3000])
def test_a_csv_cell_that_is_no_list_of_as_many_strings_is_refused(tmp_path: Path, answers: str) -> None:
    with (tmp_path / "qasper_papers2.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["", "paper", "questions", "answers"], ["0", "Text.\nMore.", "['q', 'r']", answers]]
        )
    with pytest.raises(UsageError, match=r"qasper_papers2\.csv:2: field 'answers'"):
        read(tmp_path, "test")


def test_the_score_is_the_best_annotators_f1(tmp_path: Path) -> None:
    write(tmp_path, {"p": paper(answer(free_form_answer="red fox"), answer(yes_no=True))})
    (sample,) = read(tmp_path, "validation")
    score = TASK.protocols[0].score
    assert score(sample, Completion("k", " yes.")).values == {"f1": 100.0}
    assert score(sample, Completion("k", "a fox")).values["f1"] == pytest.approx(200 / 3)
