import json
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from evalsuite.errors import UsageError
from evalsuite.plugins import find_tasks
from evalsuite.sources import open_source
from evalsuite.task import Selection
from evalsuite.types import Completion, OptionScore, Sample

TASK = find_tasks()["quality"]
OPTIONS = ["A red fox", "The blue bird", "Nobody", "Both of them"]


def read(root: Path, split: str = "validation") -> list[Sample]:
    return list(TASK.samples(Selection(open_source(TASK.dataset, root, split=split), split)))


def flat(*labels: int) -> str:
    rows = [
        {"article_id": str(index), "article": "Text.", "question": "Who?", "options": OPTIONS, "gold_label": label}
        for index, label in enumerate(labels)
    ]
    return json.dumps(rows, indent=1)


def official(article: str, *questions: tuple[str, int, int]) -> str:
    asked = [
        {"question": "Who?", "question_unique_id": name, "options": OPTIONS, "gold_label": label, "difficult": hard}
        for name, label, hard in questions
    ]
    return json.dumps({"article_id": article, "article": f"Text of {article}.", "questions": asked}) + "\n"


def sample(gold: int = 1) -> Sample:
    from evalsuite.types import Document

    return Sample("s", Document("d", "Text."), "Who?", (OPTIONS[gold],), tuple(OPTIONS), gold)


def test_the_sample_of_dev_has_fifty_questions_counted_from_zero(real_data: Path) -> None:
    source = open_source(TASK.dataset, real_data, split="validation")
    samples = list(TASK.samples(Selection(source, "validation")))
    assert len({s.id for s in samples}) == len({s.document.id for s in samples}) == 50
    assert any("count from 0" in note for note in source.notes)
    assert samples[0].references == ("No, he figured that everyone else was sending things into space.",)


def test_official_lines_of_one_article_come_together_and_count_from_one(tmp_path: Path) -> None:
    lines = official("1", ("1_a", 4, 0)) + official("2", ("2_a", 1, 1)) + official("1", ("1_b", 2, 1))
    with ZipFile(tmp_path / "QuALITY.v1.0.1.zip", "w") as archive:
        archive.writestr("QuALITY.v1.0.1.htmlstripped.dev", lines)
        archive.writestr("QuALITY.v1.0.1.dev", "{broken")
    samples = read(tmp_path)
    assert [s.id for s in samples] == ["1_a", "1_b", "2_a"]
    assert [s.gold for s in samples] == [3, 1, 0]
    hard = next(metric for metric in TASK.metrics if metric.name == "accuracy_hard")
    assert hard.subset is not None
    assert [hard.subset(s) for s in samples] == [False, True, True]


@pytest.mark.parametrize(("labels", "gold"), [((0, 3), [0, 3]), ((4, 1), [3, 0])])
def test_the_base_of_the_gold_label_is_inferred(tmp_path: Path, labels: tuple[int, ...], gold: list[int]) -> None:
    (tmp_path / "quality_dev.json").write_text(flat(*labels))
    assert [s.gold for s in read(tmp_path)] == gold


@pytest.mark.parametrize("labels", [(1, 2, 3), (0, 4)])
def test_a_base_that_cannot_be_told_is_refused(tmp_path: Path, labels: tuple[int, ...]) -> None:
    (tmp_path / "quality_dev.json").write_text(flat(*labels))
    with pytest.raises(UsageError, match=r"quality_dev\.json: cannot tell whether gold labels count from 0 or 1"):
        read(tmp_path)


def test_a_label_outside_the_options_names_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "quality_dev.json").write_text(flat(0, 5))
    with pytest.raises(UsageError, match=r"quality_dev\.json:14 \(record 2\): field 'gold_label' is 5"):
        read(tmp_path)


def test_hub_parquet_loads_with_its_own_field_names(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {"article": "Text.", "question": f"Who {n}?", "options": OPTIONS, "answer": n, "hard": n > 1} for n in range(4)
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "validation-00000-of-00001.parquet")
    samples = read(tmp_path)
    assert [s.gold for s in samples] == [0, 1, 2, 3]
    assert len({s.id for s in samples}) == 4
    assert len({s.document.id for s in samples}) == 1


@pytest.mark.parametrize(
    ("text", "answer", "right"),
    [
        ("B", "B", True),
        (" (B) The blue bird\n", "B", True),
        ("Answer: B.", "B", True),
        ("The blue bird, of course", "B", True),
        ("a red fox", "A", False),
        ("A man said it was B", "B", True),
        ("A", "A", False),
        ("D'oh", "D", False),
    ],
)
def test_an_answer_is_read_as_letter_or_as_the_words_of_an_option(text: str, answer: str, right: bool) -> None:  # noqa: FBT001
    judged = TASK.protocols[0].score(sample(), Completion("k", text))
    assert (judged.answer, judged.values["accuracy"], judged.scorable) == (answer, 100.0 * right, True)


def test_an_answer_naming_no_option_counts_as_wrong_and_unscorable() -> None:
    judged = TASK.protocols[0].score(sample(), Completion("k", "I am not sure."))
    assert not judged.scorable
    assert judged.values == {"accuracy": 0.0, "exact_match": 0.0}


@pytest.mark.parametrize(
    ("text", "exact"), [("B", 100), ("(B)", 100), ("the Blue Bird!", 100), ("It is B", 0), ("b", 0)]
)
def test_exact_match_takes_the_bare_letter_or_the_words(text: str, exact: float) -> None:
    assert TASK.protocols[0].score(sample(), Completion("k", text)).values["exact_match"] == exact


def test_likelihoods_of_words_are_compared_by_character_and_those_of_letters_as_they_are() -> None:
    options = tuple(OptionScore(value, 1, greedy=False) for value in (-8.0, -9.0, -7.5, -20.0))
    words, letters = TASK.protocol("loglikelihood"), TASK.protocol("loglikelihood-letters")
    assert words.options is not None
    assert letters.options is not None
    assert words.options(sample())[1] == " The blue bird"
    assert letters.options(sample()) == (" A", " B", " C", " D")
    assert words.score(sample(), Completion("k", options=options)).answer == "B"
    assert letters.score(sample(), Completion("k", options=options)).answer == "C"


def test_the_prompt_is_the_papers_with_the_options_behind_the_question() -> None:
    protocol = TASK.protocols[0]
    assert protocol.demonstrate is not None
    text = "".join(part.text for part in protocol.demonstrate(sample()))
    assert text == "Text. Q: Who? (A) A red fox (B) The blue bird (C) Nobody (D) Both of them, A: B\n\n"


def _compared(protocol: str, *logprobs: float, words: tuple[str, ...] = tuple(OPTIONS)) -> str:
    """The letter chosen for these log-likelihoods."""
    asked = replace(sample(), choices=words)
    options = tuple(OptionScore(logprob, 5, greedy=False) for logprob in logprobs)
    return TASK.protocol(protocol).score(asked, Completion("k", options=options)).answer


def test_the_words_of_an_option_are_weighed_by_their_characters_not_their_bytes() -> None:
    words = ("\u00e9\u00e8\u00ea\u00eb", "abcde", "x" * 40, "y" * 40)
    assert _compared("loglikelihood", -10.0, -11.0, -999.0, -999.0, words=words) == "B", "-2.5 and -2.2 a character"
    assert _compared("loglikelihood", -8.0, -11.0, -999.0, -999.0, words=words) == "A", "-2.0 and -2.2 a character"


def test_a_short_option_is_not_favoured_by_its_words_but_is_by_its_letter() -> None:
    words = ("ab", "abcdefghij", "x" * 40, "y" * 40)
    assert _compared("loglikelihood", -4.0, -10.0, -999.0, -999.0, words=words) == "B"
    assert _compared("loglikelihood-letters", -4.0, -10.0, -999.0, -999.0, words=words) == "A"


@pytest.mark.parametrize("protocol", ["loglikelihood", "loglikelihood-letters"])
def test_a_tie_falls_to_the_first_of_the_options(protocol: str) -> None:
    words = ("one", "two", "six", "ten")
    assert _compared(protocol, -9.0, -3.0, -3.0, -3.0, words=words) == "B"
