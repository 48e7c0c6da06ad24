from typing import Any

import pytest

from evalsuite.fidelity.corpora import CORPORA, Member
from evalsuite.metrics import leval, leval_corrected, leval_extraction


def printed(task: str, *pairs: tuple[str, str]) -> Any:
    """What the official evaluator prints for predictions and their references."""
    cases = ({"prediction": said, "references": [gold]} for said, gold in pairs)
    return CORPORA["leval.auto_eval"]({"task": task}, [Member("leval.exam", case, None) for case in cases])


def score(task: str, prediction: str, reference: str) -> tuple[str, float | None]:
    (judged,) = leval.exam(task, prediction, reference)
    return judged.prediction, judged.value


@pytest.mark.parametrize(
    ("task", "prediction", "reference", "answer", "value"),
    [
        ("quality", "According to the text, B", "(B) x", "A", 0.0),
        ("quality", "BC", "(B) x", "BC", 0.0),
        ("tpo", "no idea", "A", "A", 1.0),
        ("tpo", "  ", "A", "None", 0.0),
        ("coursera", "A. B. C.", "ABC", "ABC", 1.0),
        ("coursera", "A, B", "AB", "A", 0.25),
        ("coursera", "A and B", "AB", "A", 0.25),
        ("coursera", "BA", "AB", "AB", 1.0),
        ("coursera", "D\n\nQuestion 2. A B C", "D", "D", 1.0),
        ("coursera", "AB but not C.", "AB", "AB", 1.0),
        ("coursera", "A. yes Question 2 B. Question 3 C.", "A", "A", 1.0),
        ("coursera", "A. E. B.", "AB", "AB", 1.0),
        ("coursera", "a, b, or CD", "C", "CD", 0.0),
        ("gsm100", "The answer is $1,234.50.", "1234", "1234", 1.0),
        ("gsm100", "first 5 then 6\n\nand finally 18", "18", "6", 0.0),
        ("gsm100", "The answer is -18", "18", "18", 1.0),
        ("gsm100", "The answer is 12 since 3 remain", "12", "12", 1.0),
        ("gsm100", "first 5\n\nthen 6\n\nand 18", "5", "5", 1.0),
        ("gsm100", "that is 5\n6 apples", "56", "56", 1.0),
        ("gsm100", "none at all", "18", "", 0.0),
        ("codeU", "this is it", "True", "th it", 0.0),
        ("codeU", "[[1, 2], [3, 4]]", "[[1 2] [3 4]]", "[[1 2][3 4]]", 1.0),
        ("codeU", "the final output of the code is 3.0", "3", " 3", 1.0),
        ("codeU", "the final output is 1, no: the final output is 2", "2", " 2", 1.0),
        ("topic_retrieval_longchat", "THE ROLE of art", "role of art", "THE ROLE of art", 1.0),
    ],
)
def test_exam_answers_are_read_as_officially(
    task: str, prediction: str, reference: str, answer: str, value: float
) -> None:
    assert score(task, prediction, reference) == (answer, value)


@pytest.mark.parametrize(
    ("prediction", "reference", "value"),
    [
        ("", "A", 0.25),
        ("AABB", "AB", 0.25),
        ("no yes", "yes", 1.0),
        ("13", "3", 0.0),
        ("5.0", "5", 1.0),
        ("nan", "nan", 0.0),
        ("AB", "ABCD", 0.25),
        ("a b c", "abc", 1.0),
        ("x\nyes indeed", "yes", 1.0),
        ("no\nyes", "yes", 0.0),
        ("x", "x", 1.0),
        ("strasse", "stra\u00dfe", 0.0),
    ],
)
def test_the_official_comparison_keeps_its_oddities(prediction: str, reference: str, value: float) -> None:
    assert leval.exact_match(prediction, reference) == value


def test_sci_fi_is_judged_for_loyalty_and_fact() -> None:
    loyalty, fact = leval.exam("sci_fi", "It is untrue [Fact: This is False]", "True [fact: True]")
    assert (loyalty.prediction, loyalty.value) == ("true", 1.0)
    assert (fact.prediction, fact.value) == ("false", 0.0)


def test_a_sci_fi_output_without_fact_part_is_wrong_on_the_fact_only() -> None:
    loyalty, fact = leval.exam("sci_fi", "True", "True [fact: True]")
    assert (loyalty.value, fact.value, fact.found) == (1.0, 0.0, False)


def test_a_score_holds_both_answers_as_extracted() -> None:
    assert leval.exam("quality", "B", "(A) x") == (leval.ExamScore("B", "A", 0.0, found=True),)
    assert leval.exam("quality", "B", "(B) x") == (leval.ExamScore("B", "B", 1.0, found=True),)
    assert leval.exam("quality", "none", " ") == (leval.ExamScore("A", "", None, found=False),)
    assert leval.exam("coursera", "no idea", "AB") == (leval.ExamScore("A", "AB", 0.25, found=False),)


def test_a_corrected_score_holds_both_answers_as_extracted() -> None:
    def judged(task: str, prediction: str, reference: str) -> leval.ExamScore:
        (score,) = leval_corrected.exam(task, prediction, reference)
        return score

    assert judged("coursera", "B", "AB") == leval.ExamScore("B", "AB", 0.25, found=True)
    assert judged("quality", "B", "(A) x") == leval.ExamScore("B", "A", 0.0, found=True)
    assert judged("quality", "I cannot say", "no letter") == leval.ExamScore("", "", None, found=False)
    topics = leval.BY_POSITION
    assert judged(topics, "carton", "cart") == leval.ExamScore("carton", "cart", 0.0, found=True)
    assert judged(topics, "", "cart") == leval.ExamScore("", "cart", 0.0, found=False)
    assert judged(topics, "carton", "") == leval.ExamScore("carton", "", None, found=True)
    assert judged(topics, "", "") == leval.ExamScore("", "", None, found=False)


def test_code_is_compared_in_lower_case_without_quotes_and_style() -> None:
    assert leval_corrected._code(" 'True',  [ 1, 2 ] ") == "true [1 2]"


def test_a_guess_is_marked_as_no_answer_found() -> None:
    (guessed,) = leval.exam("quality", "none of them", "A")
    assert (guessed.prediction, guessed.value, guessed.found) == ("A", 1.0, False)
    assert leval.exam("quality", "B", "A")[0].found


def test_a_faulty_reference_gives_no_value() -> None:
    assert leval.exam("quality", "A", " ")[0].value is None
    assert [part.value for part in leval.exam("sci_fi", "True [fact: True]", "True")] == [None, None]
    assert [part.reference for part in leval.exam("sci_fi", "True", "True")] == ["", ""]
    with pytest.raises(ValueError, match="a reference is faulty"):
        printed("quality", ("A", " "), ("A", "A"))


def test_the_parts_of_sci_fi_are_printed_apart_and_their_mean_is_the_score() -> None:
    found = printed("sci_fi", ("True [fact: False]", "True [fact: True]"), ("True [fact: True]", "True [fact: True]"))
    assert [part["exact_match"] for part in found["by_judgement"]] == [100.0, 50.0]
    assert found["average"] == 75.0


def test_the_three_topics_are_printed_apart() -> None:
    pairs = (("one", "one"), ("x", "two"), ("x", "three"), ("one", "one"), ("two", "two"), ("x", "three"))
    found = printed("topic_retrieval_longchat", *pairs)
    assert [part["exact_match"] for part in found["by_position"]] == [100.0, 50.0, 0.0]
    assert [part["num_predicted"] for part in found["by_position"]] == [2, 2, 2]
    assert found["average"] == 50.0


def test_the_corpus_value_is_the_mean_in_percent() -> None:
    assert printed("coursera", ("A", "A"), ("A", "AB"), ("A", "C")) == {
        "exact_match": 41.6667,
        "num_predicted": 3,
        "LEval_score": 41.6667,
        "mean_prediction_length_characters": 1.0,
    }


def test_the_mean_length_of_answers_is_rounded_to_four_places() -> None:
    pairs = [(answer, "a") for answer in ("a", "b", "cc")]
    assert printed("natural", *pairs)["mean_prediction_length_characters"] == 1.3333


def test_the_average_of_parts_is_not_rounded() -> None:
    found = printed("topic_retrieval_longchat", ("one", "one"), ("x", "two"), ("x", "three"))
    assert found["average"] == pytest.approx(100 / 3, abs=1e-12)


def test_a_second_fact_in_a_gold_answer_is_cut_away_as_officially() -> None:
    # the official code takes the last character of the fact for its bracket, though here it is the blank behind it
    gold = "True [fact: False] [fact: True] [fact: True]"
    assert leval_extraction.gold_judgements(gold) == ("true", "false]")
    assert leval_extraction.judgements(gold) == ("true", "false")


@pytest.mark.parametrize(
    ("task", "prediction", "reference", "value"),
    [
        ("quality", "According to the text, B", "(B) x", 1.0),
        ("quality", "A man walked in; the answer is B", "(B) x", 1.0),
        ("quality", "Answer: C", "(C) x", 1.0),
        ("quality", "no idea", "(A) x", 0.0),
        ("quality", "B, C", "(B) x", 1.0),
        ("quality", "B C", "(B) x", 0.0),
        ("tpo", "A. one and B. two", "A", 1.0),
        ("coursera", "A, C", "AC", 1.0),
        ("coursera", "A. Asterisk (*) and B. Slash", "AB", 1.0),
        ("coursera", "The correct options are B, C and D.", "BC", 0.0),
        ("coursera", "A large part of it is C", "C", 1.0),
        ("coursera", "", "AB", 0.0),
        ("coursera", "B", "AB", 0.25),
        ("gsm100", "The answer is -18", "18", 0.0),
        ("gsm100", "The answer is: $1,234.50", "1234.5", 1.0),
        ("gsm100", "3 apples; the answer is 5, not 7", "5", 1.0),
        ("gsm100", "first 5 then 7", "7", 1.0),
        ("gsm100", "7 of them, so the answer is unknown", "7", 1.0),
        ("codeU", "The final output is [14, 32, 54]", "32", 0.0),
        ("codeU", "32\n\n33\n\n34", "34", 1.0),
        ("codeU", "32\n\n33\n\n34", "33", 0.0),
        ("codeU", "The output is 32\n\nand 33 is another number", "32", 1.0),
        ("codeU", "33\n\n32 is the output", "32", 1.0),
        ("codeU", "33\n\n32 is the output", "33", 0.0),
        ("codeU", "The output is 'a\"b'", "ab", 1.0),
        ("sci_fi", "True", "True [fact: False]", 1.0),
        ("another_set", "The Cat!", "cat", 1.0),
        ("another_set", "dog", "cat", 0.0),
        ("codeU", "The final output is:\n[[0 0]\n [0 0]]", "[[0 0][0 0]]", 1.0),
        ("topic_retrieval_longchat", 'It was "The role-of art".', "the roleof art", 1.0),
        ("topic_retrieval_longchat", "The carton", "cart", 0.0),
    ],
)
def test_the_corrected_extraction_reads_what_a_reader_would(
    task: str, prediction: str, reference: str, value: float
) -> None:
    assert leval_corrected.exam(task, prediction, reference)[0].value == value


def test_the_corrected_extraction_says_when_there_is_no_answer() -> None:
    assert not leval_corrected.exam("quality", "I cannot say", "(A) x")[0].found
    loyalty, fact = leval_corrected.exam("sci_fi", "It is untrue, so False", "False [fact: True]")
    assert (loyalty.prediction, fact.prediction, fact.reference) == ("false", "", "true")
    assert (loyalty.value, fact.value, fact.found) == (1.0, 0.0, False)
