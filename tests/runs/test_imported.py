"""Other people's answers as a run: L-Eval's published cells come out again, and bad files are refused by name."""

from __future__ import annotations

import gzip
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from evalsuite.cells import Cell
from evalsuite.cli.run import finish
from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.predictions.formats import formats
from evalsuite.records import RunRecord
from evalsuite.runs.directory.store import read_record
from evalsuite.runs.imported import import_predictions
from evalsuite.runs.scored import score_folder

TASKS = find_tasks()

PUBLISHED = {
    "turbo-16k-0613": """
codeU exam=12.2222/12.22
coursera exam=63.5174/63.51
gsm100 exam=84.0/84.0
quality exam=61.3861/61.38
topic_retrieval_longchat exam_first=96.0/- exam_second=98.0/- exam_third=44.0/- exam=79.3333/-
tpo exam=78.4387/78.43
financial_qa f1=45.3688/45.36
gov_report_summ rouge1=45.9/45.9 rouge2=15.6/15.6 rougeL=23.64/23.6
legal_contract_qa f1=24.8686/24.87
meeting_summ rouge1=30.2/30.2 rouge2=7.22/7.22 rougeL=19.31/19.31
multidoc_qa f1=31.4452/31.45
narrative_qa f1=18.1989/18.2
natural_question f1=45.9044/45.9
news_summ rouge1=35.3/35.3 rouge2=8.12/8.1 rougeL=16.06/16.1
paper_assistant rouge1=39.55/39.55 rouge2=10.92/10.92 rougeL=18.61/18.61
patent_summ rouge1=45.98/46.0 rouge2=20.3/20.3 rougeL=29.28/29.3
review_summ rouge1=30.18/30.18 rouge2=7.14/7.14 rougeL=18.67/18.67
scientific_qa f1=28.2501/28.25
tv_show_summ rouge1=31.97/32.0 rouge2=5.36/5.4 rougeL=16.87/16.9
""",
    "llama2-13b-chat-4k": """
financial_qa f1=38.075/38.07
gov_report_summ rouge1=46.39/46.3 rouge2=16.2/16.1 rougeL=24.09/24.0
legal_contract_qa f1=23.1426/23.14
meeting_summ rouge1=29.63/29.63 rouge2=6.54/6.54 rougeL=19.65/19.65
multidoc_qa f1=26.1446/26.14
narrative_qa f1=16.7696/16.76
natural_question f1=35.4363/35.43
news_summ rouge1=34.91/34.9 rouge2=8.13/8.1 rougeL=16.31/16.3
paper_assistant rouge1=37.27/37.27 rouge2=9.8/9.79 rougeL=18.49/18.49
patent_summ rouge1=48.5/48.4 rouge2=21.0/20.9 rougeL=30.36/30.3
review_summ rouge1=30.5/30.49 rouge2=6.69/6.69 rougeL=19.23/19.23
scientific_qa f1=27.4664/27.46
tv_show_summ rouge1=32.66/32.6 rouge2=6.63/6.6 rougeL=17.23/17.2
""",
}
"""Every cell of the prediction files at hand: set, metric, the value that L-Eval's own scoring code
(OpenLMLab/LEval@cd34b05) gives the published file / the value printed in arXiv:2307.11088v3, tables 3, 6, 7, 8."""

TABLE_8 = ("gov_report_summ", "news_summ", "patent_summ", "tv_show_summ")
"""Printed to one decimal, often cut instead of rounded."""


def imported(
    out: Path, files: list[Path], suite: str = "leval", data: Path | None = None, name: str | None = None
) -> tuple[RunRecord, dict[tuple[str, str], Cell]]:
    import_predictions(files, formats()[suite], out, TASKS, data=None if data is None else str(data), model_name=name)
    return read_record(out), {(cell.task, cell.metric): cell for cell in score_folder(out, TASKS)}


def prediction(query: str = "Which?", gold: str = "B", answer: str | None = "B", **other: str) -> dict[str, Any]:
    return {"query": query, "gt": gold, "prompt": "p", "m_pred": answer, "evaluation": "exam"} | other


def lines(path: Path, *rows: dict[str, Any]) -> list[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [path]


def toefl(root: Path, *pairs: tuple[str, str]) -> Path:
    """A data folder with one document a pair of question and answer."""
    rows = [
        {"input": f"Text {number}.", "instructions": [question], "outputs": [answer], "evaluation": "exam"}
        for number, (question, answer) in enumerate(pairs)
    ]
    lines(root / "data" / "leval" / "Closed-ended-tasks" / "tpo.jsonl", *rows)
    return root / "data"


def ended(out: Path) -> int:
    return finish(out, Namespace(include_path=(), allow_incomplete=False))


@pytest.fixture(autouse=True)
def _no_data_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)


@pytest.mark.parametrize("model", PUBLISHED)
def test_every_published_leval_cell_with_a_prediction_file_is_reproduced(
    model: str, real_data: Path, tmp_path: Path
) -> None:
    files = sorted((real_data / "leval_predictions").glob(f"*/{model}/*.pred.jsonl.gz"))
    rows = [line.split() for line in PUBLISHED[model].strip().splitlines()]
    record, cells = imported(tmp_path / "run", files, data=real_data)
    assert {file.name.split(".")[0] for file in files} == {row[0] for row in rows}
    assert (record.provenance, record.engine.model.name) == ("imported", model)
    for name, *figures in rows:
        for figure in figures:
            metric, values = figure.split("=")
            rescored, printed = values.split("/")
            value = cells[f"leval_{name}", metric].value
            half = 0.5 * 10 ** -(2 if metric.startswith("rouge") else 4)
            assert value == pytest.approx(float(rescored), abs=half + 1e-9), (name, metric)
            if printed != "-":
                assert value == pytest.approx(float(printed), abs=0.11 if name in TABLE_8 else 0.015), (name, metric)
    assert all(cell.complete and cell.failed == 0 for cell in cells.values())


def test_published_predictions_are_clustered_by_the_documents_of_the_data(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "leval_predictions" / "exam_eval" / "turbo-16k-0613"
    files = [folder / f"{name}.pred.jsonl.gz" for name in ("quality", "gsm100", "topic_retrieval_longchat", "codeU")]
    record, cells = imported(tmp_path / "run", files, data=real_data)
    documents = {task: cell.documents for (task, metric), cell in cells.items() if metric == "exam"}
    assert documents == {
        "leval_quality": 15,
        "leval_gsm100": 1,
        "leval_topic_retrieval_longchat": 50,
        "leval_codeU": 90,
    }
    own = "leval_codeU: questions and golds are those of codeU.pred.jsonl.gz (the data is not there)"
    assert [notice.split(":")[0] for notice in record.notices[1:]] == ["leval_codeU"]
    assert record.notices[1].startswith(own)


def test_an_imported_run_says_that_prompts_are_unknown_and_lacks_them(tmp_path: Path) -> None:
    files = lines(tmp_path / "tpo.pred.jsonl", prediction(), prediction("How?", "A", "no idea"))
    record, cells = imported(tmp_path / "run", files)
    assert "prompts, cuts, decoding and tokens are unknown" in record.notices[0]
    assert (record.engine.scheme, record.engine.model.name, record.spec.model) == ("imported", "m", "imported:m")
    requests = [json.loads(line) for line in (tmp_path / "run" / "requests.jsonl").read_text().splitlines()]
    assert [(one["prompt_hash"], one["cut"], one["decoding"]) for one in requests] == [(None, None, None)] * 2
    cell = cells["leval_tpo", "exam"]
    assert (cell.protocol, cell.strategy, cell.value, cell.scored, cell.unscorable) == (
        "imported",
        "imported",
        100.0,
        1,
        1,
    )
    assert any("2 questions, 269 are published" in notice for notice in record.notices)


def test_the_same_files_have_the_same_identity_and_other_answers_another(tmp_path: Path) -> None:
    files = lines(tmp_path / "tpo.pred.jsonl", prediction())
    first, _ = imported(tmp_path / "a", files)
    again, _ = imported(tmp_path / "b", files, name="other name")
    changed, _ = imported(tmp_path / "c", lines(tmp_path / "tpo.pred.jsonl", prediction(answer="C")))
    assert first.engine.model.hash == again.engine.model.hash != changed.engine.model.hash
    assert again.engine.model.name == "other name"
    assert first.question_identity == again.question_identity == changed.question_identity


def test_missing_predictions_leave_the_cell_incomplete_with_exit_code_3(tmp_path: Path) -> None:
    data = toefl(tmp_path, ("One?", "A"), ("Two?", "B"), ("Three?", "C"))
    files = lines(tmp_path / "tpo.pred.jsonl", prediction("One?", "A", "A"), prediction("Three?", "C", "C"))
    record, cells = imported(tmp_path / "run", files, data=data)
    cell = cells["leval_tpo", "exam"]
    assert (cell.value, cell.complete, cell.asked, cell.scored, cell.failed) == (None, False, 3, 2, 1)
    assert "leval_tpo: 1 of 3 predictions are missing" in record.notices
    assert ended(tmp_path / "run") == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((prediction("One?", "A"), prediction("One?", "A")), r"jsonl:2: field 'query' 'One\?' is answered a second"),
        (
            (prediction("One?", "A"), prediction("Two?", "B"), prediction("One?", "A")),
            r"jsonl:3: field 'query' 'One\?' is answered a second",
        ),
        ((prediction("One?", "A"), prediction("What?", "A")), r"jsonl:2: field 'query' 'What\?' is not a question"),
        ((prediction("One?", "A"), prediction("Two?", "C")), r"jsonl:2: field 'gt' is 'C', the data says 'B'"),
        ((prediction("One?", "A", None),), r"jsonl:1: field 'm_pred' is missing"),
        ((prediction("One?", "A") | {"gt": None},), r"jsonl:1: field 'gt' is missing"),
        ((prediction(evaluation="f1"),), r"jsonl:1: field 'evaluation' is 'f1'; tpo is scored by 'exam'"),
        ((prediction(evaluation="human"),), r"no line to score: none has the evaluation 'exam'"),
        (({"query": "One?", "gt": "A", "evaluation": "exam"},), r"jsonl:1: no field '<model>_pred'"),
        ((), r"tpo\.pred\.jsonl: the file is empty"),
    ],
)
def test_a_bad_leval_file_is_refused_by_line(rows: tuple[dict[str, Any], ...], message: str, tmp_path: Path) -> None:
    data = toefl(tmp_path, ("One?", "A"), ("Two?", "B"))
    with pytest.raises(UsageError, match=message):
        imported(tmp_path / "run", lines(tmp_path / "tpo.pred.jsonl", *rows), data=data)
    assert not (tmp_path / "run").exists()


def test_a_gold_without_a_letter_is_refused_where_no_data_corrects_it(tmp_path: Path) -> None:
    files = lines(tmp_path / "tpo.pred.jsonl", prediction(gold="maybe"))
    with pytest.raises(UsageError, match=r"jsonl:1: field 'gt' is 'maybe', in which there is no TOEFL answer"):
        imported(tmp_path / "run", files)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("tpo.pred.jsonl", "a/tpo.pred.jsonl"), "answers tpo already"),
        (("tpp.pred.jsonl",), "name the file after its set.*did you mean tpo"),
    ],
)
def test_files_must_name_each_set_once(names: tuple[str, ...], message: str, tmp_path: Path) -> None:
    files = [lines(tmp_path / name, prediction())[0] for name in names]
    with pytest.raises(UsageError, match=message):
        imported(tmp_path / "run", files)


def test_predictions_of_two_models_are_not_one_run(tmp_path: Path) -> None:
    one = lines(tmp_path / "tpo.pred.jsonl", prediction())
    other = lines(
        tmp_path / "quality.pred.jsonl", {"n_pred" if k == "m_pred" else k: v for k, v in prediction().items()}
    )
    with pytest.raises(UsageError, match=r"several models \(m, n\)"):
        imported(tmp_path / "run", one + other)


def test_a_folder_that_holds_a_run_is_left_alone(tmp_path: Path) -> None:
    files = lines(tmp_path / "tpo.pred.jsonl", prediction())
    imported(tmp_path / "run", files)
    with pytest.raises(UsageError, match="holds a run already"):
        imported(tmp_path / "run", files)


def test_the_two_answers_of_a_sci_fi_line_are_scored_apart(tmp_path: Path) -> None:
    gold = "False [fact: True]"
    rows = [prediction("A?", gold, "False [fact: False]"), prediction("B?", gold, "False, no mark")]
    _, cells = imported(tmp_path / "run", lines(tmp_path / "sci_fi.pred.jsonl", *rows))
    values = {metric: cell.value for (_, metric), cell in cells.items()}
    assert (values["exam"], values["exam_loyalty"], values["exam_fact"]) == (50.0, 100.0, 0.0)
    assert cells["leval_sci_fi", "exam"].unscorable == 1


def test_topics_are_told_apart_by_their_place_without_data_too(tmp_path: Path) -> None:
    rows = [prediction(f"{n}?", f"Topic {n}", answer) for n, answer in enumerate(("Topic 0", "none", "Topic 2") * 2)]
    golds = [row | {"gt": f"Topic {n % 3}"} for n, row in enumerate(rows)]
    _, cells = imported(tmp_path / "run", lines(tmp_path / "topic_retrieval_longchat.pred.jsonl", *golds))
    values = [cells["leval_topic_retrieval_longchat", f"exam_{name}"].value for name in ("first", "second", "third")]
    assert values == [100.0, 0.0, 100.0]


def quality(root: Path, count: int = 3) -> tuple[Path, list[str]]:
    """A data folder with one article and its questions."""
    questions = [
        {
            "question": "Who?",
            "question_unique_id": f"q{n}",
            "options": list("wxyz"),
            "gold_label": n + 1,
            "difficult": 0,
        }
        for n in range(count)
    ]
    article = {
        "article_id": "1",
        "article": "Text.",
        "questions": [*questions, questions[0] | {"question_unique_id": "last", "gold_label": 4}],
    }
    lines(root / "data" / "quality" / "QuALITY.v1.0.1.htmlstripped.dev", article)
    return root / "data", [*(f"q{n}" for n in range(count)), "last"]


def test_plain_lines_of_several_tasks_are_one_run(tmp_path: Path) -> None:
    data, names = quality(tmp_path)
    toefl(tmp_path, ("One?", "A"))
    rows = [{"task": "quality", "id": name, "prediction": "(A)"} for name in names]
    rows.insert(2, {"task": "leval_tpo", "id": "0-0", "prediction": "A"})
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    record, cells = imported(tmp_path / "run", [path], "plain", data)
    assert record.engine.model.name == "mine"
    assert cells["quality", "accuracy"].value == 25.0
    assert cells["leval_tpo", "exam"].value == 100.0
    assert ended(tmp_path / "run") == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task": "quality", "id": "q9", "prediction": "A"}, r"jsonl:2: unknown id 'q9'; did you mean"),
        ({"task": "quality", "id": "q0", "prediction": "B"}, r"jsonl:2: id 'q0' of quality is answered twice"),
        ({"task": "quality", "id": "q1", "prediction": None}, r"jsonl:2: field 'prediction' is missing"),
        ({"task": "qualty", "id": "q1", "prediction": "A"}, r"jsonl:2: unknown task 'qualty'; did you mean"),
        ({"id": "q1", "prediction": "A"}, r"jsonl:2: field 'task' is missing"),
    ],
)
def test_a_bad_plain_line_is_refused_by_line(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    data, _ = quality(tmp_path)
    good = {"task": "quality", "id": "q0", "prediction": "A"}
    with pytest.raises(UsageError, match=message):
        imported(tmp_path / "run", lines(tmp_path / "mine.jsonl", good, row), "plain", data)


def test_a_scrolls_object_is_read_by_the_task_its_file_is_named_after(tmp_path: Path) -> None:
    data, names = quality(tmp_path)
    path = tmp_path / "quality.json"
    path.write_text(json.dumps(dict.fromkeys(names, "z")))
    _, cells = imported(tmp_path / "run", [path], "scrolls", data)
    assert cells["quality", "exact_match"].value == 25.0


def space_digest(root: Path) -> Path:
    """A data folder with two ZeroSCROLLS examples of review digests."""
    text = "Count.\n\nReviews:\nGood. Bad.\n\nPercentage of Positive Reviews:"
    start, end = text.index("Good"), text.index("\n\nPercentage")
    offsets = {"document_start_index": start, "document_end_index": end, "query_start_index": end + 2}
    row = {"pid": "p", "input": text, "truncation_seperator": "...", "query_end_index": end + 2} | offsets
    rows = [row | {"id": name, "output": "50%", "inner_docs_start_indices": [start]} for name in ("a", "b")]
    lines(root / "data" / "zero_scrolls" / "space_digest" / "validation.jsonl", *rows)
    return root / "data"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("space_digest.json", '{"a": "50%", "b": "60%"}'),
        ("preds.json", '{"space_digest": {"a": "50%", "b": "60%"}}'),
        ("submission.csv", "Task,ID,Prediction\nspace_digest,a,50%\nspace_digest,b,60%\n"),
    ],
)
def test_zeroscrolls_answers_are_read_by_file_by_task_and_as_submitted(name: str, text: str, tmp_path: Path) -> None:
    data = space_digest(tmp_path)
    (tmp_path / name).write_text(text)
    _, cells = imported(tmp_path / "run", [tmp_path / name], "zeroscrolls", data)
    cell = cells["zeroscrolls_space_digest", "exp_similarity"]
    assert (cell.value, cell.scored, cell.complete) == (75.0, 2, True)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("quality.json", '{"q0": "A", "q0": "B"}', r"quality\.json: id 'q0' of quality is answered twice"),
        ("quality.json", '{"q0": null}', r"quality\.json: the prediction of 'q0' is null, not a text"),
        ("quality.json", '{"quality": {"q0": 7}}', r"quality\.json: quality: the prediction of 'q0' is a int, not a"),
        ("quality.json", '{"nine": "A"}', r"quality\.json: unknown id 'nine'"),
        ("quality.json", '["A"]', r"must be one JSON object of ids and predictions, not a list"),
        ("quality.json", '{"q0": ', r"quality\.json:1: not valid JSON"),
        ("qualty.json", '{"q0": "A"}', r"unknown task 'qualty'; did you mean quality.*name the file after its task"),
        ("submission.csv", "Task,ID\nquality,q0\n", r"submission\.csv:2: field 'Prediction' is missing"),
    ],
)
def test_a_bad_scrolls_file_is_refused_by_id(name: str, text: str, message: str, tmp_path: Path) -> None:
    data, _ = quality(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        imported(tmp_path / "run", [tmp_path / name], "scrolls", data)
