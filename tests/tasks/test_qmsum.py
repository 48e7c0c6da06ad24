import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.sources import open_source
from evalsuite.task import Selection
from evalsuite.types import Completion, Sample

TASK = find_tasks()["qmsum"]
MEETING = {
    "topic_list": [],
    "general_query_list": [{"query": "Summarize the meeting.", "answer": "They greeted."}],
    "specific_query_list": [{"query": "Who greeted?", "answer": "Ann did.", "relevant_text_span": [["1", "2"]]}],
    "meeting_transcripts": [
        {"speaker": "Bo", "content": "Well."},
        {"speaker": "Ann", "content": "Hello."},
        {"speaker": "Bo", "content": "Bye."},
    ],
}


def read(root: Path, split: str) -> list[Sample]:
    return list(TASK.samples(Selection(open_source(TASK.dataset, root, split=split), split)))


@pytest.mark.parametrize(
    ("split", "documents", "questions"), [("train", 162, 1257), ("validation", 35, 272), ("test", 35, 281)]
)
def test_every_split_has_the_published_numbers_of_meetings_and_queries(
    real_data: Path, split: str, documents: int, questions: int
) -> None:
    samples = read(real_data, split)
    assert len({sample.id for sample in samples}) == len(samples) == questions
    assert len({sample.document.id for sample in samples}) == documents


def test_evidence_is_the_marked_turns_first_and_last_included(tmp_path: Path) -> None:
    (tmp_path / "val.jsonl").write_text(json.dumps(MEETING) + "\n")
    general, specific = read(tmp_path, "validation")
    assert general.evidence is None
    assert specific.evidence is not None
    (span,) = specific.evidence
    assert specific.document.text[span.start : span.end] == "Ann: Hello.\nBo: Bye."


def test_meetings_in_files_of_their_own_keep_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "qmsum" / "data" / "ALL" / "val"
    folder.mkdir(parents=True)
    (folder / "Bmr006.json").write_text(json.dumps(MEETING, indent=1))
    assert [sample.id for sample in read(tmp_path, "validation")] == ["Bmr006/general-0", "Bmr006/specific-0"]


@pytest.mark.parametrize("span", [[["1", "3"]], [["2", "1"]], [["one", "2"]], [["1"]], ["12"], [7]])
def test_evidence_outside_the_transcript_is_an_error_naming_file_line_and_field(tmp_path: Path, span: object) -> None:
    query = MEETING["specific_query_list"][0] | {"relevant_text_span": span}
    (tmp_path / "val.jsonl").write_text(json.dumps(MEETING | {"specific_query_list": [query]}))
    with pytest.raises(UsageError, match=r"val\.jsonl:1: field 'specific_query_list\[0\]\.relevant_text_span'"):
        read(tmp_path, "validation")


def test_the_geometric_mean_is_that_of_the_dataset_means(tmp_path: Path) -> None:
    (tmp_path / "val.jsonl").write_text(json.dumps(MEETING))
    sample = read(tmp_path, "validation")[0]
    perfect = TASK.protocols[0].score(sample, Completion("k", "They greeted.\n"))
    nothing = TASK.protocols[0].score(sample, Completion("k", "x"))
    assert perfect.values == {"rouge1": 100, "rouge2": 100, "rougeL": 100, "rouge_geo_sample": pytest.approx(100)}
    means = {name: (perfect.values[name] + nothing.values[name]) / 2 for name in perfect.values}
    primary = next(metric for metric in TASK.metrics if metric.primary)
    assert primary.combine is not None
    assert primary.combine(means) == pytest.approx(50)


def test_the_packing_of_scrolls_loads_with_references_of_one_query_merged(tmp_path: Path) -> None:
    rows = [
        {"id": "q1", "pid": "q1_0", "input": "Who?\n\nAnn: Me.\n\nBo: No.", "output": "Ann."},
        {"id": "q2", "pid": "q2_0", "input": "Why?\n\nBo: So.", "output": "So."},
        {"id": "q1", "pid": "q1_1", "input": "Who?\n\nAnn: Me.\n\nBo: No.", "output": "It was Ann."},
    ]
    with ZipFile(tmp_path / "qmsum.zip", "w") as archive:
        archive.writestr("qmsum/validation.jsonl", "\n".join(map(json.dumps, rows)))
    first, second = read(tmp_path, "validation")
    assert (first.id, first.question, first.references) == ("q1", "Who?", ("Ann.", "It was Ann."))
    assert (first.document.text, second.document.text) == ("Ann: Me.\n\nBo: No.", "Bo: So.")
