"""L-Eval's scores (An et al. 2023; OpenLMLab/LEval, Evaluation/@cd34b05): exam, F1 and ROUGE."""

from dataclasses import dataclass

from evalsuite.metrics import leval_extraction as extraction
from evalsuite.metrics import scrolls
from evalsuite.metrics.normalise import without_punctuation_and_articles

SCORED_TWICE = "sci_fi"
"""The task whose questions have two answers: loyalty to the story and fact."""

BY_POSITION = "topic_retrieval_longchat"
"""The task reported for the first, second and third topic apart."""

PARTIAL_CREDIT = 0.25

f1 = scrolls.f1
rouge = scrolls.rouge


@dataclass(frozen=True, slots=True)
class ExamScore:
    """One scored answer of a closed-ended task."""

    prediction: str  # the answer as extracted
    reference: str  # the gold answer as extracted
    value: float | None  # 0, 0.25 or 1; None when the reference is faulty
    found: bool = True  # False: no answer in the output; what is scored is the official stand-in for one


def exam(task: str, prediction: str, reference: str) -> tuple[ExamScore, ...]:
    """Extract the answer as the official code does for `task` and compare it.

    Returns:
        One score, for sci_fi two: loyalty and fact.
    """
    if SCORED_TWICE in task:
        return _score_twice(prediction, reference)
    answer, gold = extract(task, prediction, reference)
    found = bool(answer)
    if answer is None:
        answer = extraction.fallback(prediction)
    if gold is None:
        return (ExamScore(answer, "", None, found),)
    return (ExamScore(answer, gold, exact_match(answer, gold), found),)


def extract(task: str, prediction: str, reference: str) -> tuple[str | None, str | None]:
    """The answer and the gold answer under the official rules, which go by parts of the task's name.

    The answer is None when there is no option letter, the gold answer when it is faulty. A task without a rule keeps
    both texts.
    """
    if "coursera" in task:
        return extraction.letter_set(prediction), extraction.gold_letters(reference)
    if "quality" in task or "tpo" in task:
        return extraction.single_letter(prediction), extraction.gold_letters(reference)
    if "gsm" in task:
        return extraction.number(prediction), extraction.number(reference)
    if "codeU" in task:
        return extraction.code_output(prediction, reference), extraction.clean_code(reference)
    return prediction, reference


def exact_match(prediction: str, reference: str) -> float:
    """L-Eval's comparison (Evaluation/em.py): 1, 0.25 or 0.

    Gold made of option letters: equal 1, a subset 0.25. Otherwise equal as numbers, or contained in the prediction.
    """
    gold = without_punctuation_and_articles(reference)
    if set(gold) <= set(extraction.LETTERS):
        answer = without_punctuation_and_articles(prediction)
        if answer == gold:
            return 1.0
        return PARTIAL_CREDIT if set(answer) <= set(gold) else 0.0
    try:
        return float(float(prediction) == float(reference))
    except ValueError:
        return float(_squeeze(reference) in _squeeze(_first_long_line(prediction)))


def _score_twice(prediction: str, reference: str) -> tuple[ExamScore, ...]:
    answers = extraction.judgements(prediction)
    golds = extraction.gold_judgements(reference) or (None, None)
    return tuple(_scored(answer, gold) for answer, gold in zip(answers, golds, strict=True))


def _scored(answer: str, gold: str | None) -> ExamScore:
    value = None if gold is None else exact_match(answer, gold)
    return ExamScore(answer, gold or "", value, answer != extraction.NO_ANSWER)


def _squeeze(text: str) -> str:
    return text.lower().replace(" ", "")


def _first_long_line(text: str) -> str:
    return next((line for line in text.split("\n") if len(line) > 1), text)
