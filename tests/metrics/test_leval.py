import pytest

from evalsuite.metrics import leval, leval_corrected


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
        ("coursera", "a, b, or CD", "C", "CD", 0.0),
        ("gsm100", "The answer is $1,234.50.", "1234", "1234", 1.0),
        ("gsm100", "first 5 then 6\n\nand finally 18", "18", "6", 0.0),
        ("gsm100", "The answer is -18", "18", "18", 1.0),
        ("codeU", "this is it", "True", "th it", 0.0),
        ("codeU", "[[1, 2], [3, 4]]", "[[1 2] [3 4]]", "[[1 2][3 4]]", 1.0),
        ("codeU", "the final output of the code is 3.0", "3", " 3", 1.0),
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


def test_a_guess_is_marked_as_no_answer_found() -> None:
    (guessed,) = leval.exam("quality", "none of them", "A")
    assert (guessed.prediction, guessed.value, guessed.found) == ("A", 1.0, False)
    assert leval.exam("quality", "B", "A")[0].found


def test_a_faulty_reference_gives_no_value() -> None:
    assert leval.exam("quality", "A", " ")[0].value is None
    assert [part.value for part in leval.exam("sci_fi", "True [fact: True]", "True")] == [None, None]
    with pytest.raises(ValueError, match="1 of 1 references"):
        leval.auto_eval_parts([leval.exam("quality", "A", " ")])


def test_the_corpus_value_is_the_mean_in_percent() -> None:
    scores = [score for gold in ("A", "AB", "C") for score in leval.exam("coursera", "A", gold)]
    (result,) = leval.auto_eval_parts([scores])
    assert result == {
        "exact_match": 41.6667,
        "num_predicted": 3,
        "LEval_score": 41.6667,
        "mean_prediction_length_characters": 1.0,
    }


@pytest.mark.parametrize(
    ("task", "prediction", "reference", "value"),
    [
        ("quality", "According to the text, B", "(B) x", 1.0),
        ("quality", "A man walked in; the answer is B", "(B) x", 1.0),
        ("quality", "Answer: C", "(C) x", 1.0),
        ("quality", "no idea", "(A) x", 0.0),
        ("coursera", "A, C", "AC", 1.0),
        ("coursera", "A. Asterisk (*) and B. Slash", "AB", 1.0),
        ("coursera", "The correct options are B, C and D.", "BC", 0.0),
        ("coursera", "A large part of it is C", "C", 1.0),
        ("coursera", "", "AB", 0.0),
        ("coursera", "B", "AB", 0.25),
        ("gsm100", "The answer is -18", "18", 0.0),
        ("gsm100", "The answer is: $1,234.50", "1234.5", 1.0),
        ("codeU", "The final output is [14, 32, 54]", "32", 0.0),
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
    assert (loyalty.value, fact.value, fact.found) == (1.0, 0.0, False)
