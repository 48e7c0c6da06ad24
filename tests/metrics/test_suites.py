"""SCROLLS, ZeroSCROLLS and the corpus values."""

import pytest

from evalsuite.fidelity.corpora import CORPORA, Member, dictionary
from evalsuite.metrics import scrolls, zero_scrolls
from evalsuite.metrics.aggregate import geometric_mean, rouge_metrics

PREDICTIONS = ["exact match example", "hello there", "general kenobi"]
REFERENCES = [["exact match example"], ["hello", "hi there"], ["commander kenobi"]]
PAIRS = list(zip(PREDICTIONS, REFERENCES, strict=True))


def test_the_worked_example_of_scrolls_comes_out() -> None:
    rouge = dictionary("rouge", [scrolls.rouge(*pair) for pair in PAIRS], "scrolls_score")
    assert rouge["rouge/rouge1"] == rouge["rouge/rougeL"] == 72.2222
    assert rouge["rouge/rouge2"] == 33.3333
    assert rouge["scrolls_score"] == rouge["rouge/geometric_mean"] == 55.8136
    matches = dictionary("exact_match", [scrolls.exact_match(*pair) for pair in PAIRS], "scrolls_score")
    assert matches == {"exact_match": 33.3333, "num_predicted": 3, "scrolls_score": 33.3333}
    assert dictionary("f1", [scrolls.f1(*pair) for pair in PAIRS], "scrolls_score")["f1"] == 72.2222


def test_the_geometric_mean_is_that_of_the_means() -> None:
    values = [
        {"rouge1": 100.0, "rouge2": 0.0, "rougeL": 100.0},
        {"rouge1": 0.0, "rouge2": 100.0, "rougeL": 100.0},
    ]
    assert dictionary("rouge", values, "score")["score"] == pytest.approx(62.9961)  # per sample it would be 0
    assert geometric_mean(50.0, 0.0, 50.0) == 0.0


def test_nothing_to_average_is_an_error_not_a_zero() -> None:
    with pytest.raises(ValueError, match=r"^no values to average$"):
        dictionary("f1", [], "score")


@pytest.mark.parametrize(
    ("prediction", "reference", "score"),
    [
        ("caf\u00e9", "cafe", 100.0),
        ("Janet\u2019s", "Janet's", 0.0),
        ("\u5317\u4eac", "bei jing", 0.0),  # syllables come out capitalised
        ("\u00bd", "12", 0.0),
        ("yes \U0001f600", "yes", 100.0),
    ],
)
def test_zero_scrolls_f1_compares_ascii_spellings(prediction: str, reference: str, score: float) -> None:
    assert zero_scrolls.f1(prediction, [reference]) == score


@pytest.mark.parametrize(
    ("prediction", "score"),
    [("(C)", 100.0), ("A man; the answer is C", 0.0), ("c", 0.0), ("C2", 0.0), ("", 0.0), ("so: C, not D", 100.0)],
)
def test_accuracy_takes_the_first_letter_that_stands_alone(prediction: str, score: float) -> None:
    assert zero_scrolls.accuracy(prediction, ["(C) text"]) == score


@pytest.mark.parametrize(
    ("prediction", "score"),
    [("70%", 100.0), ("60%", 50.0), ("70 %", 0.0), ("70", 0.0), ("-70%", 100.0), ("between 90% and 70%", 25.0)],
)
def test_exponential_similarity_halves_with_every_ten_points(prediction: str, score: float) -> None:
    assert zero_scrolls.exp_similarity(prediction, ["70%"]) == score


@pytest.mark.parametrize(
    ("prediction", "score"),
    [("3, 1, 2", 100.0), ("2 1 3", 0.0), ("3, 2, 1", 200 / 3), ("3, 1", 0.0), ("312", 0.0), ("the 3: 3, 1, 2", 0.0)],
)
def test_concordance_is_the_share_of_pairs_in_order(prediction: str, score: float) -> None:
    assert zero_scrolls.concordance_index(prediction, ["3, 1, 2"]) == pytest.approx(score)


def test_ids_are_names_whatever_their_numbers() -> None:
    assert zero_scrolls.concordance_index("70, 5, 9", ["5, 70, 9"]) == pytest.approx(200 / 3)


def test_a_faulty_reference_gives_no_value_rather_than_zero() -> None:
    assert zero_scrolls.accuracy("B", ["foo"]) is None
    assert zero_scrolls.exp_similarity("72%", ["72"]) is None
    assert zero_scrolls.concordance_index("1", ["1"]) is None
    assert zero_scrolls.accuracy("B", ["B", "foo"]) is None


def test_a_number_of_thousands_of_digits_is_no_summary_id() -> None:
    assert zero_scrolls.concordance_index("9" * 5000 + ", 1", ["1, 2"]) == 0
    assert zero_scrolls.ids(f"1 {'9' * 18} {'9' * 19}") == [1, 10**18 - 1, -1]


def test_zero_scrolls_names_its_corpus_score() -> None:
    compute = CORPORA["zero_scrolls.compute"]
    members = [Member("zero_scrolls.f1", {}, value) for value in (50.0, 100.0)]
    assert compute({"config": "qasper"}, members) == {"f1": 75.0, "num_predicted": 2, "zero_scrolls_score": 75.0}
    rouge = Member("zero_scrolls.rouge", {}, zero_scrolls.rouge("a b c d", ["b a d c", "a b x y"]))
    assert compute({"config": "squality"}, [rouge])["zero_scrolls_score"] == pytest.approx(55.0321)


def test_a_sample_without_reference_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no reference to score against$"):
        zero_scrolls.accuracy("A", [])


@pytest.mark.parametrize("primary", ["rouge_geo", "rouge2"])
def test_rouge_metrics_say_whose_they_are_and_the_primary_one_stands_first(primary: str) -> None:
    found = rouge_metrics("scrolls.rouge", primary)
    assert {metric.name for metric in found} == {"rouge1", "rouge2", "rougeL", "rouge_geo"}
    assert {metric.official for metric in found} == {"scrolls.rouge"}
    assert [metric.name for metric in found if metric.primary] == [found[0].name] == [primary]
    assert [metric.name for metric in found[1:]] == [
        name for name in ("rouge1", "rouge2", "rougeL", "rouge_geo") if name != primary
    ]
