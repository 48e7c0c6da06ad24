import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.metrics import rouge as ours

LETTERS = st.text(alphabet="abcd AB1.\u00e9\u0130\n-", max_size=60)
WORDS = st.lists(
    st.sampled_from(["running", "runs", "was", "his", "the", "studies", "Study", "caf\u00e9s"]), max_size=30
)
TEXTS = st.one_of(st.text(max_size=60), LETTERS, WORDS.map(" ".join))


@pytest.fixture(scope="module")
def official() -> dict[bool, Any]:
    from rouge_score.rouge_scorer import RougeScorer

    return {stem: RougeScorer(list(ours.TYPES), use_stemmer=stem) for stem in (False, True)}


def assert_equal(official: dict[bool, Any], prediction: str, reference: str, *, use_stemmer: bool) -> None:
    theirs = official[use_stemmer].score(reference, prediction)
    result = ours.rouge(prediction, reference, use_stemmer=use_stemmer)
    for kind in ours.TYPES:
        overlap = getattr(result, kind)
        assert (overlap.precision, overlap.recall, overlap.fmeasure) == tuple(theirs[kind])


@settings(max_examples=300, deadline=None)
@given(prediction=TEXTS, reference=TEXTS, use_stemmer=st.booleans())
def test_every_float_equals_rouge_score_on_any_text(
    official: dict[bool, Any], prediction: str, reference: str, *, use_stemmer: bool
) -> None:
    assert_equal(official, prediction, reference, use_stemmer=use_stemmer)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, use_stemmer=st.booleans())
def test_tokens_equal_those_of_rouge_score(text: str, *, use_stemmer: bool) -> None:
    from rouge_score.tokenizers import DefaultTokenizer

    assert list(ours.tokenise(text, use_stemmer=use_stemmer)) == DefaultTokenizer(use_stemmer).tokenize(text)


def test_every_float_equals_rouge_score_on_real_outputs(golden: Path, official: dict[bool, Any]) -> None:
    with gzip.open(golden / "leval_ngram.jsonl.gz", "rt", encoding="utf-8") as file:
        cases = [case for case in map(json.loads, file) if case["metric"] == "leval.rouge"]
    for number, case in enumerate(cases[::25]):
        assert_equal(official, case["prediction"], case["references"][0], use_stemmer=number % 2 == 1)


def test_tokens_equal_those_of_rouge_score_on_all_golden_texts(golden: Path) -> None:
    from rouge_score.tokenizers import DefaultTokenizer

    plain = DefaultTokenizer()
    for path in sorted(golden.glob("*.jsonl.gz")):
        if path.name.startswith("prompts"):
            continue
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for case in map(json.loads, file):
                for text in (case.get("prediction"), *case.get("references", ())):
                    if isinstance(text, str):
                        assert list(ours.tokenise(text)) == plain.tokenize(text)


def test_the_best_reference_may_differ_between_types() -> None:
    scores = ours.best_rouge("a b c d", ["b a d c", "a b x y"])
    assert scores == {"rouge1": 100.0, "rouge2": pytest.approx(100 / 3), "rougeL": 50.0}


def test_words_are_stemmed_when_asked_alone() -> None:
    assert ours.tokenise("running") == ("running",)
    assert ours.rouge("running", "run").rouge1.fmeasure == 0.0
    assert ours.best_rouge("running", ["run"])["rouge1"] == 0.0
    assert ours.best_rouge("running", ["run"], use_stemmer=True)["rouge1"] == 100.0


def test_a_sample_without_reference_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no reference to score against$"):
        ours.best_rouge("x", [])


def test_an_empty_text_scores_zero() -> None:
    assert ours.best_rouge("", ["a b"]) == {"rouge1": 0.0, "rouge2": 0.0, "rougeL": 0.0}


def test_importing_and_scoring_leave_heavy_packages_alone() -> None:
    code = (
        "import sys; from evalsuite.metrics import rouge; rouge.rouge('a b', 'a c');"
        "heavy = {'rouge_score', 'nltk', 'absl', 'numpy'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
