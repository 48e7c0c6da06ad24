"""Qasper's evaluator (Dasigi et al. 2021; allenai/qasper-led-baseline, scripts/evaluator.py@afd0fb9). Values 0 to 1."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.metrics import squad
from evalsuite.metrics.aggregate import mean

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
class _QuestionScore:
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


def evaluate(
    data: Mapping[str, Any], predictions: Mapping[str, Mapping[str, Any]], *, text_evidence_only: bool = False
) -> dict[str, Any]:
    """The evaluator's output dictionary: means over questions, and answer F1 by the type of the best annotator.

    Args:
        data: gold file content, by paper id.
        predictions: `{question id: {"answer": text, "evidence": paragraphs}}`; unknown ids are ignored, a missing
            one scores 0 but stays out of the means by type.
        text_evidence_only: drop gold paragraphs that stand for figures and tables.

    Returns:
        The official keys. Means are None where no question has a usable gold answer (see `deviations`).
    """
    scores = [
        _score_question(gold, predictions.get(question))
        for question, gold in gold_answers(data, text_evidence_only=text_evidence_only).items()
        if gold
    ]
    return {
        "Answer F1": mean([score.answer_f1 for score in scores]) if scores else None,
        "Answer F1 by type": _by_type(scores),
        "Evidence F1": mean([score.evidence_f1 for score in scores]) if scores else None,
        "Missing predictions": sum(score.answer_type is None for score in scores),
    }


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


def _score_question(gold: Sequence[GoldAnswer], prediction: Mapping[str, Any] | None) -> _QuestionScore:
    if prediction is None:
        return _QuestionScore(0.0, None, 0.0)
    # max keeps the first of equals, as the official stable sort does
    answer_f1, answer_type = max(
        ((squad.token_f1(prediction["answer"], answer.text), answer.type) for answer in gold),
        key=lambda pair: pair[0],
    )
    evidence_f1 = max(paragraph_f1(prediction["evidence"], answer.evidence) for answer in gold)
    return _QuestionScore(answer_f1, answer_type, evidence_f1)


def _by_type(scores: Sequence[_QuestionScore]) -> dict[str, float]:
    values: dict[str | None, list[float]] = defaultdict(list)
    for score in scores:
        values[score.answer_type].append(score.answer_f1)
    return {kind: mean(values[kind]) if values[kind] else 0.0 for kind in ANSWER_TYPES}
