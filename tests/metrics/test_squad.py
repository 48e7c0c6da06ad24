import pytest

from evalsuite.metrics import squad
from evalsuite.metrics.normalise import normalise


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The well-known  3.14!", "wellknown 314"),
        ("Janet\u2019s", "janet\u2019s"),  # other punctuation stays
        ("A", ""),
        ("an\u00a0apple\u2028pie", "apple pie"),
        ("a\u200bb", "\u200bb"),  # a zero-width space is a word boundary but no white space
    ],
)
def test_normalisation_deletes_ascii_punctuation_and_articles(text: str, normal: str) -> None:
    assert normalise(text) == normal


def test_token_f1_compares_bags_not_sets() -> None:
    assert squad.token_f1("no no no", "no") == pytest.approx(0.5)
    assert squad.token_f1("red red fox", "red red dog") == pytest.approx(2 / 3)


def test_two_empty_texts_have_no_f1_but_match_exactly() -> None:
    assert squad.token_f1("the", "") == 0.0
    assert squad.exact_match("A", "the") == 1.0


def test_the_best_reference_counts() -> None:
    assert squad.best(squad.token_f1, "general kenobi", ["hello", "general grievous"]) == 0.5


def test_a_sample_without_reference_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no reference to score against$"):
        squad.best(squad.token_f1, "x", [])
