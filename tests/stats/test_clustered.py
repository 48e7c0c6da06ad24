"""Clustered errors against numbers worked out by hand and against the textbook's matrix formula."""

from __future__ import annotations

from math import exp, fsum, log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.metrics.aggregate import geometric_mean
from evalsuite.stats.clustered import Estimate, clustered_mean, jackknife

labelled = st.lists(st.tuples(st.floats(0, 100), st.integers(0, 5)), min_size=2, max_size=40).filter(
    lambda pairs: len({label for _, label in pairs}) > 1
)
quick = settings(max_examples=60, deadline=None, derandomize=True)


def test_a_mean_worked_out_by_hand() -> None:
    # mean 5; cluster sums of residuals: a (0 - 5) + (10 - 5) = 0, b (10 - 5) = 5, c (0 - 5) = -5
    found = clustered_mean([0, 10, 10, 0], ["a", "a", "b", "c"])
    assert found.value == 5
    assert found.stderr == pytest.approx(sqrt(3 / 2 * (0 + 25 + 25)) / 4)
    assert found.clusters == 3


def test_questions_alone_in_their_documents_give_the_usual_standard_error() -> None:
    values = [3.0, 7.0, 8.0, 100.0, 0.0]
    mean = sum(values) / 5
    usual = sqrt(sum((v - mean) ** 2 for v in values) / 4) / sqrt(5)
    assert clustered_mean(values, range(5)).stderr == pytest.approx(usual)


def test_repeating_every_question_of_a_document_adds_no_certainty() -> None:
    values, documents = [0.0, 30.0, 90.0], ["a", "b", "c"]
    once = clustered_mean(values, documents)
    thrice = clustered_mean(values * 3, documents * 3)
    assert thrice.stderr == pytest.approx(once.stderr)


@quick
@given(labelled)
def test_it_is_the_sandwich_estimator_of_a_regression_on_a_constant(pairs: list[tuple[float, int]]) -> None:
    """CR1 as statsmodels has it for an intercept alone: G / (G - 1) * (n - 1) / (n - 1)."""
    import numpy as np

    values, labels = np.array([v for v, _ in pairs]), np.array([c for _, c in pairs])
    design = np.ones((len(values), 1))
    bread = np.linalg.inv(design.T @ design)
    residuals = values - design @ (bread @ design.T @ values)
    meat = sum(
        np.outer(score, score) for score in (design[labels == c].T @ residuals[labels == c] for c in np.unique(labels))
    )
    groups = len(np.unique(labels))
    expected = sqrt((bread @ meat @ bread)[0, 0] * groups / (groups - 1))
    found = clustered_mean(list(values), list(labels))
    assert found.stderr == pytest.approx(expected, abs=1e-9)
    assert found.value == pytest.approx(values.mean(), abs=1e-9)


@quick
@given(st.lists(st.floats(0, 100), min_size=2, max_size=12), st.integers(1, 4))
def test_the_jackknife_of_a_plain_mean_over_equal_documents_is_the_clustered_error(
    values: list[float], size: int
) -> None:
    repeated = [value + i for value in values for i in range(size)]
    labels = [at for at in range(len(values)) for _ in range(size)]
    by_formula = clustered_mean(repeated, labels).stderr
    assert jackknife([repeated], labels, lambda means: means[0]).stderr == pytest.approx(by_formula, abs=1e-9)


def test_the_jackknife_leaves_out_whole_documents() -> None:
    columns, labels = [[1.0, 2.0, 4.0, 8.0], [9.0, 3.0, 1.0, 5.0]], ["a", "a", "b", "c"]
    kept = {"a": [2, 3], "b": [0, 1, 3], "c": [0, 1, 2]}
    thetas = [
        sqrt(fsum(columns[0][i] for i in at) / len(at) * fsum(columns[1][i] for i in at) / len(at))
        for at in kept.values()
    ]
    centre = sum(thetas) / 3
    found = jackknife(columns, labels, lambda means: sqrt(means[0] * means[1]))
    assert found.value == pytest.approx(sqrt(15 / 4 * 18 / 4))
    assert found.stderr == pytest.approx(sqrt(2 / 3 * sum((t - centre) ** 2 for t in thetas)))
    assert found.clusters == 3


def test_one_document_says_nothing_about_the_error() -> None:
    assert clustered_mean([1, 2, 3], ["a"] * 3) == Estimate(2, None, 1)
    assert jackknife([[1, 2, 3]], ["a"] * 3, lambda means: means[0]) == Estimate(2, None, 1)


@pytest.mark.parametrize(("values", "labels"), [([], []), ([1.0], ["a", "b"]), ([1.0, 2.0], ["a"])])
def test_labels_must_match_the_values(values: list[float], labels: list[str]) -> None:
    with pytest.raises(ValueError, match="cluster labels"):
        clustered_mean(values, labels)
    with pytest.raises(ValueError, match="cluster labels"):
        jackknife([values], labels, lambda means: means[0])


def test_every_mean_is_over_the_same_questions() -> None:
    with pytest.raises(ValueError, match="longer"):
        jackknife([[1.0, 2.0], [1.0]], ["a", "b"], lambda means: means[0])


def test_a_geometric_mean_of_means_is_not_the_mean_of_geometric_means() -> None:
    columns = ([40.0, 10.0], [2.0, 20.0], [30.0, 6.0])
    means = [sum(column) / 2 for column in columns]
    found = jackknife(columns, ["a", "b"], lambda m: geometric_mean(*m))
    assert found.value == pytest.approx(exp(sum(map(log, means)) / 3))
    per_sample = sum(geometric_mean(*sample) for sample in zip(*columns, strict=True)) / 2
    assert abs(found.value - per_sample) > 0.1


def test_a_geometric_mean_with_a_nought_is_nought() -> None:
    assert geometric_mean(0.0, 50.0, 50.0) == 0
