"""ZeroSCROLLS without labels: naive baselines, and the submission file with every id of all ten sets."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
import zero

from evalsuite.cli.main import main
from evalsuite.errors import UsageError
from evalsuite.plugins import module
from evalsuite.types import Document, Sample

NAIVE, SUBMISSION = module("zeroscrolls", "naive"), module("zeroscrolls", "submission")
CONFIGS = SUBMISSION.CONFIGS
TEXT = " ".join(f"w{number}" for number in range(1000))
Capture = pytest.CaptureFixture[str]


def sample(name: str = "s", text: str = TEXT, inner: int = 0, instruction: str = "") -> Sample:
    return Sample(name, Document("d", text), "q", (), attributes={"inner_documents": inner, "instruction": instruction})


def answer(config: str, one: Sample, seed: int = 0) -> str:
    return str(NAIVE.predictions(config, [one], seed=seed)[one.id])


def written(tmp_path: Path, *, examples: int = 2) -> Path:
    """The ten official test files, without labels."""
    for config in CONFIGS:
        rows = [zero.row(config, f"{config}-{number}", None) for number in range(examples)]
        zero.write(tmp_path / "data", config, "test", rows)
    return tmp_path / "data"


SPANS = [
    ("gov_report", 500),
    ("summ_screen_fd", 200),
    ("qmsum", 50),
    ("squality", 120),
    ("narrative_qa", 4),
    ("qasper", 15),
]


@pytest.mark.parametrize(("config", "words"), SPANS)
def test_the_naive_answer_of_a_text_set_is_a_span_of_the_papers_length(config: str, words: int) -> None:
    said = [answer(config, sample(str(number))) for number in range(20)]
    spans = [text for text in said if text not in NAIVE.FIXED_ANSWERS]
    assert {len(text.split()) for text in spans} == {words}
    assert all(text in TEXT for text in spans)
    assert len(set(spans)) > 5
    assert (len(spans) < 20) == (config == "qasper")


def test_the_other_naive_answers_are_those_of_the_paper() -> None:
    assert answer("musique", sample()) == "Unanswerable"
    assert answer("space_digest", sample()) == "50%"
    assert {answer("quality", sample(str(number))) for number in range(40)} == set("ABCD")
    assert answer("book_sum_sort", sample(inner=4)) == "1, 2, 3, 4"
    assert answer("book_sum_sort", sample(instruction="You are given 3 summaries of 12 chapters")) == "1, 2, 3"
    with pytest.raises(UsageError, match="no set of ZeroSCROLLS"):
        answer("qmsom", sample())


def test_a_document_shorter_than_the_span_is_the_answer_whole() -> None:
    assert answer("gov_report", sample(text="only these words")) == "only these words"
    assert answer("gov_report", sample(text="")) == ""


def test_naive_answers_depend_on_the_seed_and_on_nothing_else() -> None:
    both = NAIVE.predictions("qmsum", [sample("a"), sample("b")])
    random.seed(7)
    assert NAIVE.predictions("qmsum", [sample("b")])["b"] == both["b"]
    assert both["a"] != both["b"]
    assert answer("qmsum", sample("a"), seed=1) != both["a"]


def test_a_submission_names_every_set_and_id_in_official_order() -> None:
    expected = {config: (f"{config}-2", f"{config}-1") for config in CONFIGS}
    predictions = {config: dict.fromkeys(sorted(names), 'a "b", c\nd') for config, names in expected.items()}
    rows = list(csv.reader(SUBMISSION.submission(predictions, expected).splitlines(keepends=True)))
    assert rows[0] == ["Task", "ID", "Prediction"]
    assert rows[1:3] == [["gov_report", "gov_report-2", 'a "b", c\nd'], ["gov_report", "gov_report-1", 'a "b", c\nd']]
    assert [row[0] for row in rows[1::2]] == list(CONFIGS)


def test_missing_and_extra_ids_and_sets_are_refused_all_at_once() -> None:
    expected = {config: tuple(f"{config}-{number}" for number in range(9)) for config in CONFIGS}
    predictions = {config: dict.fromkeys(names, "a") for config, names in expected.items()}
    del predictions["qasper"]
    predictions["musique"] = {"musique-0": "a", "stray": "b"}
    predictions["musik"] = {}
    with pytest.raises(UsageError) as refused:
        SUBMISSION.submission(predictions, expected)
    said = str(refused.value)
    assert "qasper is not answered" in said
    assert "musique: 8 missing (musique-1, musique-2, musique-3, musique-4, musique-5, ...)" in said
    assert "musique: 1 extra (stray)" in said
    assert "musik: no set of ZeroSCROLLS" in said
    assert "gov_report" not in said


def test_a_run_over_the_test_split_becomes_the_file_of_the_leaderboard(tmp_path: Path, capsys: Capture) -> None:
    data, out = written(tmp_path), tmp_path / "sent.csv"
    zero.run(zero.plan(data, split="test"), tmp_path / "run", zero.engine("Bob left."))
    assert main(["submission", str(tmp_path / "run"), "--out", str(out), "--data", str(data)]) == 0
    assert "20 predictions of 10 sets" in capsys.readouterr().out
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 20
    assert rows[0] == {"Task": "gov_report", "ID": "gov_report-0", "Prediction": "Bob left."}
    # the official files then hold one example more
    written(tmp_path, examples=3)
    out.unlink()
    assert main(["submission", str(tmp_path / "run"), "--out", str(out), "--data", str(data)]) == 2
    assert "gov_report: 1 missing (gov_report-2)" in capsys.readouterr().err
    assert not out.exists()


def test_a_set_answered_in_two_cells_needs_a_choice(tmp_path: Path, capsys: Capture) -> None:
    data = written(tmp_path)
    zero.run(zero.plan(data, split="test", max_prompt_tokens=(4000, 5000)), tmp_path / "run", zero.engine())
    command = ["submission", str(tmp_path / "run"), "--out", str(tmp_path / "sent.csv"), "--data", str(data)]
    assert main(command) == 2
    assert "answered in several cells" in capsys.readouterr().err
    assert main([*command, "--cell", "cap-5000"]) == 0
    assert main([*command, "--cell", "nowhere"]) == 2
    assert "no run there asked a set of zeroscrolls" in capsys.readouterr().err
