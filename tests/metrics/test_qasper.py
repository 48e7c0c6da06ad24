from typing import Any

import pytest

from evalsuite.fidelity.scores import qasper_evaluation
from evalsuite.metrics import qasper


def annotation(**fields: Any) -> dict[str, Any]:
    empty = {"unanswerable": False, "extractive_spans": [], "free_form_answer": "", "yes_no": None, "evidence": []}
    return {"answer": {**empty, **fields}}


def evaluate(data: dict[str, Any], said: dict[str, Any], *, text_evidence_only: bool = False) -> dict[str, Any]:
    return qasper_evaluation({"data": data, "predictions": said, "text_evidence_only": text_evidence_only})


def dataset(**answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"paper": {"qas": [{"question_id": name, "answers": list_} for name, list_ in answers.items()]}}


@pytest.mark.parametrize(
    ("fields", "text", "kind"),
    [
        ({"unanswerable": True, "extractive_spans": ["x"]}, "Unanswerable", "none"),
        ({"extractive_spans": ["x", "y"], "free_form_answer": "z"}, "x, y", "extractive"),
        ({"free_form_answer": "z", "yes_no": True}, "z", "abstractive"),
        ({"yes_no": True}, "Yes", "boolean"),
        ({"yes_no": False}, "No", "boolean"),
    ],
)
def test_the_first_kind_of_answer_that_applies_is_the_gold_one(fields: dict[str, Any], text: str, kind: str) -> None:
    answer = qasper.gold_answer(annotation(**fields, evidence=["a paragraph"])["answer"])
    assert answer == qasper.GoldAnswer(text, kind, ("a paragraph",))


def test_a_question_counts_for_the_type_of_its_best_annotator_and_ties_go_to_the_first() -> None:
    data = dataset(
        best=[annotation(yes_no=False), annotation(free_form_answer="an LSTM")],
        tie=[annotation(yes_no=True), annotation(free_form_answer="nothing shared")],
    )
    said = {name: {"answer": "LSTM", "evidence": []} for name in ("best", "tie")}
    result = evaluate(data, said)
    assert result["Answer F1"] == 0.5
    assert result["Answer F1 by type"] == {"extractive": 0.0, "abstractive": 1.0, "boolean": 0.0, "none": 0.0}


def test_a_missing_prediction_counts_zero_but_not_by_type() -> None:
    data = dataset(asked=[annotation(yes_no=True)], missing=[annotation(yes_no=True)])
    result = evaluate(data, {"asked": {"answer": "yes", "evidence": []}, "unknown": {}})
    assert (result["Answer F1"], result["Answer F1 by type"]["boolean"]) == (0.5, 1.0)
    assert (result["Evidence F1"], result["Missing predictions"]) == (0.5, 1)


def test_figures_can_be_dropped_from_the_gold_evidence() -> None:
    data = dataset(q=[annotation(yes_no=True, evidence=["text", "FLOAT SELECTED: Table 1"])])
    said = {"q": {"answer": "yes", "evidence": ["text"]}}
    assert evaluate(data, said)["Evidence F1"] == pytest.approx(2 / 3)
    assert evaluate(data, said, text_evidence_only=True)["Evidence F1"] == 1.0


def test_repeated_paragraphs_count_in_the_lengths_only() -> None:
    assert qasper.paragraph_f1(["a"], ["a", "a"]) == pytest.approx(2 / 3)
    assert qasper.paragraph_f1([], []) == 1.0
    assert qasper.paragraph_f1([], ["a"]) == 0.0


def test_an_annotation_without_answer_is_left_out_and_never_scored_zero() -> None:
    said = {"q": {"answer": "yes", "evidence": []}}
    assert evaluate(dataset(q=[annotation()]), said)["Answer F1"] is None
    assert evaluate(dataset(q=[annotation(), annotation(yes_no=True)]), said)["Answer F1"] == 1.0


def test_the_best_annotator_counts_for_the_answer() -> None:
    assert qasper.token_f1("an LSTM", ["a CNN", "the LSTM"]) == 1.0


def test_ties_between_annotators_go_to_the_first_whatever_their_kind() -> None:
    data = dataset(q=[annotation(yes_no=True), annotation(extractive_spans=["yes"])])
    by_type = evaluate(data, {"q": {"answer": "yes", "evidence": []}})["Answer F1 by type"]
    assert by_type == {"extractive": 0.0, "abstractive": 0.0, "boolean": 1.0, "none": 0.0}


@pytest.mark.parametrize(("said", "gold"), [(["a", "b", "c"], ["a"]), (["a"], ["a", "b", "c"])])
def test_evidence_f1_weighs_precision_and_recall(said: list[str], gold: list[str]) -> None:
    assert qasper.paragraph_f1(said, gold) == pytest.approx(0.5)


def test_evidence_of_figures_is_kept_unless_it_is_told_to_drop() -> None:
    fields = {"unanswerable": True, "evidence": ["text", "FLOAT SELECTED: Table 1"]}
    gold = annotation(**fields)["answer"]
    assert qasper.gold_answer(gold) == qasper.GoldAnswer("Unanswerable", "none", tuple(fields["evidence"]))
    assert qasper.gold_answer(gold, text_evidence_only=True) == qasper.GoldAnswer("Unanswerable", "none", ("text",))
    said = {"q": {"answer": "none", "evidence": ["text"]}}
    (score,) = qasper.question_scores(dataset(q=[annotation(**fields)]), said)
    assert score.evidence_f1 == pytest.approx(2 / 3)
    (kept,) = qasper.gold_answers(dataset(q=[annotation(**fields)]))["q"]
    assert kept.evidence == tuple(fields["evidence"])


def test_missing_predictions_are_counted() -> None:
    data = dataset(**{name: [annotation(yes_no=True)] for name in "abc"})
    assert evaluate(data, {"a": {"answer": "yes", "evidence": []}})["Missing predictions"] == 2
