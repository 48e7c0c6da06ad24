"""The score of each golden case, by metric; values have the shape of the golden `expected`."""

from collections.abc import Callable, Mapping
from typing import Any

from evalsuite.fidelity.cases import Case
from evalsuite.fidelity.estimates import part, sample_values, value
from evalsuite.metrics import leval, longbench, qasper, scrolls, zero_scrolls
from evalsuite.task import Metric

_ANSWER, _EVIDENCE, _TYPE = "Answer F1", "Evidence F1", "Answer F1 by type"


def _of_references(score: Callable[..., Any], *extra: str) -> Callable[[Case], Any]:
    """A scorer of texts as a function of a case; `extra` names further fields that the scorer takes."""

    def scored(case: Case) -> Any:
        return score(case["prediction"], case["references"], *(case[name] for name in extra))

    return scored


def _exam(case: Case) -> dict[str, Any]:
    (reference,) = case["references"]
    scores = leval.exam(case["task"], case["prediction"], reference)
    answers, golds = [score.prediction for score in scores], [score.reference for score in scores]
    values = [score.value for score in scores]
    if len(scores) == 1:
        return {"processed_prediction": answers[0], "processed_reference": golds[0], "score": values[0]}
    return {"processed_prediction": answers, "processed_reference": golds, "score": values}


def _paragraph_f1(case: Case) -> float:
    return max(qasper.paragraph_f1(case["prediction"], reference) for reference in case["references"])


def qasper_evaluation(case: Case) -> dict[str, Any]:
    """What Qasper's evaluator prints for a file; means are None where no question has a usable gold answer."""
    scores = qasper.question_scores(case["data"], case["predictions"], text_evidence_only=case["text_evidence_only"])
    counted = sample_values(
        ({_ANSWER: score.answer_f1, _EVIDENCE: score.evidence_f1}, {_TYPE: score.answer_type}) for score in scores
    )
    return {
        _ANSWER: value(Metric(_ANSWER), counted),
        _TYPE: {kind: value(part(_ANSWER, _TYPE, kind), counted) or 0.0 for kind in qasper.ANSWER_TYPES},
        _EVIDENCE: value(Metric(_EVIDENCE), counted),
        "Missing predictions": sum(score.answer_type is None for score in scores),
    }


SCORES: Mapping[str, Callable[[Case], Any]] = {
    "leval.exam": _exam,
    "leval.f1": _of_references(leval.f1),
    "leval.rouge": _of_references(leval.rouge),
    "scrolls.f1": _of_references(scrolls.f1),
    "scrolls.exact_match": _of_references(scrolls.exact_match),
    "scrolls.rouge": _of_references(scrolls.rouge),
    "zero_scrolls.f1": _of_references(zero_scrolls.f1),
    "zero_scrolls.accuracy": _of_references(zero_scrolls.accuracy),
    "zero_scrolls.exp_similarity": _of_references(zero_scrolls.exp_similarity),
    "zero_scrolls.concordance_index": _of_references(zero_scrolls.concordance_index),
    "zero_scrolls.rouge": _of_references(zero_scrolls.rouge),
    "qasper.token_f1": _of_references(qasper.token_f1),
    "qasper.paragraph_f1": _paragraph_f1,
    "qasper.evaluate": qasper_evaluation,
    "longbench.qa_f1_score": _of_references(longbench.qa_f1_score),
    "longbench.rouge_score": _of_references(longbench.rouge_score),
    "longbench.classification_score": _of_references(longbench.classification_score, "all_classes"),
    "longbench.retrieval_score": _of_references(longbench.retrieval_score),
    "longbench.count_score": _of_references(longbench.count_score),
    "longbench.code_sim_score": _of_references(longbench.code_sim_score),
}
"""Metric name -> value of one case."""
