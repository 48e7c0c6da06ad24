"""Qasper's evaluator (Dasigi et al. 2021; allenai/qasper-led-baseline, scripts/evaluator.py@afd0fb9). Values 0 to 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.metrics import squad

ANSWER_TYPES = ("extractive", "abstractive", "boolean", "none")
"""How an annotator answered: with spans, in free form, yes or no, or `Unanswerable`."""

_FLOAT = "FLOAT SELECTED"


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """One annotator's answer."""

    text: str
    type: str  # one of ANSWER_TYPES
    evidence: tuple[str, ...]  # paragraphs


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """Best scores of one question over its annotators; no answer type when the prediction is missing."""

    answer_f1: float
    answer_type: str | None
    evidence_f1: float


def gold_answer(annotation: Mapping[str, Any], *, text_evidence_only: bool = False) -> GoldAnswer | None:
    """The answer of one annotation in Qasper's own format, or None when it holds no answer at all.

    Unanswerable, else the spans joined by `, `, else the free-form text, else Yes or No: the first that applies.
    """
    evidence = tuple(
        paragraph for paragraph in annotation["evidence"] if not (text_evidence_only and _FLOAT in paragraph)
    )
    if annotation["unanswerable"]:
        return GoldAnswer("Unanswerable", "none", evidence)
    if annotation["extractive_spans"]:
        return GoldAnswer(", ".join(annotation["extractive_spans"]), "extractive", evidence)
    if annotation["free_form_answer"]:
        return GoldAnswer(annotation["free_form_answer"], "abstractive", evidence)
    if annotation["yes_no"] is None:
        return None
    return GoldAnswer("Yes" if annotation["yes_no"] else "No", "boolean", evidence)


def token_f1(prediction: str, references: Sequence[str]) -> float:
    """Answer F1: best token F1 over the annotators' answers."""
    return squad.best(squad.token_f1, prediction, references)


def paragraph_f1(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Evidence F1 of two lists of paragraphs by exact equality; both empty is 1.

    A repeated paragraph counts in the lengths but not in the overlap.
    """
    if not prediction and not reference:
        return 1.0
    shared = len(set(prediction) & set(reference))
    if not shared:
        return 0.0
    precision, recall = shared / len(prediction), shared / len(reference)
    return 2 * precision * recall / (precision + recall)


def question_scores(
    data: Mapping[str, Any], predictions: Mapping[str, Mapping[str, Any]], *, text_evidence_only: bool = False
) -> tuple[QuestionScore, ...]:
    """The scores of every question that has a usable gold answer, in the file's order.

    Args:
        data: gold file content, by paper id.
        predictions: `{question id: {"answer": text, "evidence": paragraphs}}`; unknown ids are ignored, a missing
            one scores 0 and has no answer type.
        text_evidence_only: drop gold paragraphs that stand for figures and tables.
    """
    golds = gold_answers(data, text_evidence_only=text_evidence_only)
    return tuple(_score_question(gold, predictions.get(question)) for question, gold in golds.items() if gold)


def gold_answers(data: Mapping[str, Any], *, text_evidence_only: bool = False) -> dict[str, list[GoldAnswer]]:
    """The usable gold answers of each question id of a Qasper file, in the annotators' order."""
    return {
        question["question_id"]: [
            answer
            for annotation in question["answers"]
            if (answer := gold_answer(annotation["answer"], text_evidence_only=text_evidence_only))
        ]
        for paper in data.values()
        for question in paper["qas"]
    }


def _score_question(gold: Sequence[GoldAnswer], prediction: Mapping[str, Any] | None) -> QuestionScore:
    if prediction is None:
        return QuestionScore(0.0, None, 0.0)
    # max keeps the first of equals, as the official stable sort does
    answer_f1, answer_type = max(
        ((squad.token_f1(prediction["answer"], answer.text), answer.type) for answer in gold),
        key=lambda pair: pair[0],
    )
    evidence_f1 = max(paragraph_f1(prediction["evidence"], answer.evidence) for answer in gold)
    return QuestionScore(answer_f1, answer_type, evidence_f1)
