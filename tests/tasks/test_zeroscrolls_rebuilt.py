"""`zeroscrolls-rebuilt`: the official wording round the original datasets' documents, never the official name."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import zero

from evalsuite.errors import MissingDataError, UsageError
from evalsuite.plugins import find_tasks, module
from evalsuite.sources import open_source
from evalsuite.task import Selection
from evalsuite.types import Sample

PREFIX = "zeroscrolls-rebuilt_"
TASKS = {name.removeprefix(PREFIX): task for name, task in find_tasks().items() if name.startswith(PREFIX)}
AT_HAND = {"gov_report", "summ_screen_fd", "qmsum", "squality", "qasper", "narrative_qa", "quality", "musique"}


def read(root: Path, config: str, split: str) -> tuple[list[Sample], tuple[str, ...]]:
    source = open_source(TASKS[config].dataset, root, split=split)
    return list(TASKS[config].samples(Selection(source, split))), source.notes


def text_of(config: str, sample: Sample) -> str:
    return "".join(part.text for part in TASKS[config].protocols[0].prompt(sample))


def write(path: Path, *values: Any, as_list: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values) if as_list else "".join(json.dumps(value) + "\n" for value in values))


def test_the_sets_at_hand_are_offered_and_none_under_the_official_name() -> None:
    assert set(TASKS) == AT_HAND
    for task in TASKS.values():
        assert task.suite == "zeroscrolls-rebuilt"
        assert "not the official examples" in task.note
        assert all(protocol.note.startswith("Not the official set.") for protocol in task.protocols)
        assert [protocol.name for protocol in task.protocols] == ["api", "api-chat", "api-claude", "hf"]


@pytest.mark.parametrize("config", sorted(zero.LAYOUTS))
def test_the_wording_is_that_of_the_official_rows(config: str, golden: Path) -> None:
    records = [one for one in zero.golden_records(golden) if one["config"] == config and one["category"] == "regular"]
    assert records
    for record in records:
        row = record["row"]
        start, end, query = (row[f"{name}_index"] for name in ("document_start", "document_end", "query_start"))
        count = str(len(row.get("inner_docs_start_indices", ())))
        asked = row["input"][query : row["query_end_index"]].partition("\n")[2].rstrip("\n")
        frame = zero.LAYOUTS[config].attributes(asked)
        assert frame["instruction"].replace("{count}", count) == row["input"][:start]
        rebuilt = frame["between"] + frame["query"] + frame["response"]
        assert rebuilt.strip() == row["input"][end:].strip()
        assert frame["separator"] == row["truncation_seperator"]


COUNTS = [
    ("gov_report", "test", 13, 13),
    ("summ_screen_fd", "test", 13, 13),
    ("qmsum", "validation", 35, 272),
    ("squality", "validation", 25, 125),
    ("squality", "test", 52, 260),
    ("qasper", "train", 10, 51),
    ("quality", "validation", 50, 50),
    ("musique", "validation", 200, 200),
]


@pytest.mark.parametrize(("config", "split", "documents", "questions"), COUNTS)
def test_every_question_at_hand_is_read(
    real_data: Path, config: str, split: str, documents: int, questions: int
) -> None:
    samples, _ = read(real_data, config, split)
    assert len({sample.id for sample in samples}) == len(samples) == questions
    assert len([name for name, _ in groupby(sample.document.id for sample in samples)]) == documents
    score = module("zeroscrolls", "scoring")
    one = module("zeroscrolls", "sets").BY_CONFIG[config]
    assert not [ref for sample in samples for ref in sample.references if score.fault(one, ref)]
    assert all(sample.references and sample.document.text for sample in samples)


def test_a_story_runs_from_its_own_start_to_its_own_end(tmp_path: Path) -> None:
    folder = tmp_path / "narrativeqa"
    (folder / "tmp").mkdir(parents=True)
    (folder / "tmp" / "a.content").write_text("Licence. Once upon, a time. The end. More.")
    (folder / "documents.csv").write_text('document_id,story_start,story_end\na,"Once upon ,",The end .\n')
    rows = ("document_id,set,question,answer1,answer2", "a,valid,Who?,Ann,She", "b,valid,Who?,Bob,He", "a,test,No?,x,y")
    (folder / "qaps.csv").write_text("\n".join(rows) + "\n")
    (sample,), notes = read(tmp_path, "narrative_qa", "validation")
    assert sample.document.text == "Once upon, a time. The end."
    assert sample.references == ("Ann", "She")
    assert notes == ("1 of 2 stories are not there and not asked about",)
    assert text_of("narrative_qa", sample).endswith("The end.\n\nQuestion:\nWho?\n\nAnswer:")


def test_qasper_is_read_from_its_own_files_and_unanswerable_questions_ask_for_the_word(tmp_path: Path) -> None:
    nothing = {"extractive_spans": [], "free_form_answer": "", "yes_no": None, "evidence": []}
    answers = [{"answer": {**nothing, "unanswerable": True}}, {"answer": {**nothing, "unanswerable": False}}]
    answers.append({"answer": {**nothing, "unanswerable": False, "extractive_spans": ["one", "two"]}})
    paper = {
        "title": "T",
        "abstract": "A",
        "full_text": [{"section_name": "Introduction", "paragraphs": ["P.", "Q."]}],
        "qas": [{"question_id": "q", "question": "Why?", "answers": answers}],
    }
    (tmp_path / "qasper").mkdir()
    (tmp_path / "qasper" / "qasper-dev-v0.3.json").write_text(json.dumps({"p": paper}))
    (sample,), _ = read(tmp_path, "qasper", "validation")
    assert sample.references == ("unanswerable", "one, two")
    assert sample.document.text == "Introduction\nP.\nQ."


@pytest.mark.parametrize(("label", "letter", "labels"), [(2, "C", (0, 2)), (2, "B", (2, 4))])
def test_a_choice_is_asked_for_by_letter_however_labels_count(
    tmp_path: Path, label: int, letter: str, labels: tuple[int, ...]
) -> None:
    questions = [{"question": f"Q{n}?", "options": ["w", "x", "y", "z"], "gold_label": n} for n in labels]
    article = {"article_id": "1", "article": "Text.", "questions": questions}
    write(tmp_path / "quality" / "QuALITY.v1.0.1.htmlstripped.dev", article)
    samples, _ = read(tmp_path, "quality", "validation")
    (sample,) = [one for one, number in zip(samples, labels, strict=True) if number == label]
    assert sample.references == (letter,)
    assert text_of("quality", sample).endswith(
        "Question and Possible Answers:\nQ2?\n\n (A) w\n (B) x\n (C) y\n (D) z\n\nAnswer:"
    )


@pytest.mark.parametrize(
    ("label", "options", "said"),
    [
        (3, "wxyz", "counts from neither 0 nor 1"),
        (7, "wxyz", "counts from neither"),
        (0, "wxy", "has 3 instead of four"),
    ],
)
def test_a_question_that_cannot_be_asked_by_letter_is_refused(
    tmp_path: Path, label: int, options: str, said: str
) -> None:
    question = {"article_id": "1", "article": "T.", "question": "Q?", "options": list(options), "gold_label": label}
    write(tmp_path / "quality" / "quality_dev.json", question, as_list=True)
    with pytest.raises(UsageError, match=said):
        read(tmp_path, "quality", "validation")


def test_musique_asks_for_the_word_where_there_is_no_answer(tmp_path: Path) -> None:
    paragraphs = [{"title": "A", "paragraph_text": "One."}, {"title": "B", "paragraph_text": "Two."}]
    row = {"id": "a", "paragraphs": paragraphs, "question": "Q?", "answer": "x", "answer_aliases": ["y"]}
    write(
        tmp_path / "musique" / "musique_full_v1.0_dev.jsonl",
        {**row, "answerable": True},
        {**row, "id": "b", "answerable": False},
    )
    (first, second), notes = read(tmp_path, "musique", "validation")
    assert first.document.text == "A\nOne.\n\nB\nTwo."
    assert (first.references, second.references, notes) == (("x", "y"), ("unanswerable",), ())


def test_absent_originals_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"Get data/v1-3/txt/\{train,dev,test\}\.jsonl of the SQuALITY"):
        read(tmp_path, "squality", "validation")


def test_rebuilt_sets_run_by_the_official_rule(tmp_path: Path) -> None:
    turns = [{"speaker": "Ann", "content": "We met. " * 100}, {"speaker": "Bob", "content": "Yes."}]
    query = {"query": "What was said?", "answer": "the answer", "relevant_text_span": []}
    meeting = {"meeting_transcripts": turns, "general_query_list": [query], "specific_query_list": [query]}
    write(tmp_path / "qmsum" / "val.jsonl", meeting)
    asked = zero.plan(tmp_path, "zeroscrolls-rebuilt_qmsum", max_prompt_tokens=(1000,))
    cell = zero.run(asked, tmp_path / "out", zero.engine())["zeroscrolls-rebuilt_qmsum"]
    assert (cell.suite, cell.asked, cell.cut, cell.value) == ("zeroscrolls-rebuilt", 2, 2, pytest.approx(100.0))
