from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.fidelity.corpora import CORPORA, Member
from evalsuite.metrics import longbench
from evalsuite.metrics.longbench_rouge import _common_words, _sentences, rouge_l

SENTENCES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12)


def words_by_table(first: list[str], second: list[str]) -> set[str]:
    """The package's own way: a full table, and its walk back with its choice among equals."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, word in enumerate(first, start=1):
        for j, other in enumerate(second, start=1):
            table[i][j] = table[i - 1][j - 1] + 1 if word == other else max(table[i - 1][j], table[i][j - 1])
    words, i, j = set(), len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            words.add(first[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return words


@given(first=SENTENCES, second=SENTENCES)
def test_the_bits_walk_back_as_the_table_does(first: list[str], second: list[str]) -> None:
    assert set(_common_words(first, second)) == words_by_table(first, second)


def test_the_bits_walk_back_as_the_table_does_on_all_short_sentences() -> None:
    short = [list(words) for length in range(4) for words in product("abc", repeat=length)]
    for first, second in product(short, short):
        assert set(_common_words(first, second)) == words_by_table(first, second)


def test_rouge_l_is_over_sets_of_words_of_each_sentence() -> None:
    assert rouge_l("the cat sat. it ran", "the cat sat. it ran") == pytest.approx(1 - 5e-9, abs=1e-12)
    assert rouge_l("b a", "a b") == pytest.approx(0.5, abs=1e-8)
    assert rouge_l("a a a", "a") == pytest.approx(1, abs=1e-8)
    assert rouge_l("A", "a") == 0.0


@pytest.mark.parametrize("text", ["", "...", "."])
def test_rouge_l_of_nothing_is_zero(text: str) -> None:
    assert rouge_l(text, "a") == rouge_l("a", text) == 0.0


def test_rouge_l_of_a_sentence_beyond_the_packages_stack_is_computed() -> None:
    text = " ".join(map(str, range(3000)))
    assert rouge_l(text, text) == pytest.approx(1)


def test_a_class_after_a_removed_one_is_never_looked_at() -> None:
    classes = ["Food", "Drink", "Food and Drink"]
    assert longbench.classification_score("Food and Drink", ["Food and Drink"], classes) == 0.5
    assert longbench.classification_score("Food and Drink", ["Drink"], classes) == pytest.approx(1 / 3)
    assert longbench.classification_score("nothing", ["Drink"], classes) == 0.0


def test_numbers_are_compared_as_written() -> None:
    assert longbench.count_score("There are 7 of 30", ["7"]) == 0.5
    assert longbench.count_score("07", ["7"]) == 0.0
    assert longbench.retrieval_score("Paragraph 12", ["Paragraph 12"]) == 1.0
    assert longbench.retrieval_score("12", ["12"]) is None


def test_code_similarity_takes_the_first_line_of_code_and_rounds_to_hundredths() -> None:
    assert longbench.code_sim_score("# note\nreturn x+1", ["    return x + 1"]) == 0.77
    assert longbench.code_sim_score("```", ["x"]) == 0.0


def test_only_the_first_line_counts_for_the_few_shot_sets() -> None:
    case = {"prediction": "\nParis\nQuestion: next", "references": ["Paris"]}
    member = Member("longbench.qa_f1_score", case, 0.5)
    assert CORPORA["longbench.scorer"]({"config": "triviaqa"}, [member]) == 100.0
    assert CORPORA["longbench.scorer"]({"config": "qasper"}, [member]) == 50.0


@pytest.mark.parametrize(
    ("prediction", "scored"),
    [("New York\nQuestion", "New York"), ("\n Paris is\nnext", " Paris is"), ("\nXenon\n", "Xenon"), ("", "")],
)
def test_the_first_line_is_kept_as_it_is(prediction: str, scored: str) -> None:
    assert longbench.scored_part("trec", prediction) == scored
    assert longbench.scored_part("qasper", prediction) == prediction


def test_the_corpus_value_has_two_places() -> None:
    members = [Member("longbench.qa_f1_score", {}, value) for value in (1.0, 0.0, 0.0)]
    assert CORPORA["longbench.scorer"]({"config": "qasper"}, members) == 33.33


def test_an_answer_without_a_number_counts_nothing() -> None:
    assert longbench.count_score("none of them", ["7"]) == 0.0


def test_class_names_that_are_part_of_the_gold_name_do_not_count_against_it() -> None:
    said, gold = "Food and Drink", ["Food and Drink"]
    assert longbench.classification_score(said, gold, ["Food", "Food and Drink"]) == 1.0
    assert longbench.classification_score(said, gold, ["Food and Drink", "Drink"]) == 1.0


def test_the_best_reference_counts_for_rouge_l() -> None:
    assert longbench.rouge_score("the cat sat", ["a dog", "the cat sat"]) == pytest.approx(1)


def test_code_is_compared_from_its_first_line_that_is_no_note_blanks_included() -> None:
    assert longbench.code_sim_score("\n    return x\ny", ["    return x"]) == 1.0
    assert longbench.code_sim_score("return x\n", ["return x"]) == 1.0
    assert longbench.code_sim_score("X", ["X"]) == 1.0
    assert longbench.code_sim_score("# a note alone", ["XXXX"]) == 0.0


def test_sentences_end_at_full_stops_and_one_of_blanks_is_an_empty_word() -> None:
    assert _sentences("a  b.c d") == [["a", "b"], ["c", "d"]]
    assert _sentences("a. ") == [["a"], [""]]
