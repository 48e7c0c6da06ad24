"""Means of questions, with standard errors clustered by document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import fsum, sqrt


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its standard error."""

    value: float
    stderr: float | None
    """None with fewer than two clusters."""
    clusters: int


def clustered_mean(values: Sequence[float], clusters: Sequence[Hashable]) -> Estimate:
    """The mean of values and its cluster-robust standard error.

    ``se = sqrt(G / (G - 1) * sum_g (sum_{i in g} (x_i - mean))^2) / n`` over G clusters: Miller 2024
    (arXiv:2411.00640, equation for clustered questions) with the small-sample factor G / (G - 1).

    Args:
        values: one for each question; at least one.
        clusters: the document of each question; as many as values.

    Raises:
        ValueError: no values, or lengths differ.
    """
    mean = fsum(values) / _checked_length(values, clusters)
    sums = _cluster_sums([value - mean for value in values], clusters)
    count = len(sums)
    if count < 2:  # noqa: PLR2004 - one cluster says nothing about the spread between clusters
        return Estimate(mean, None, count)
    spread = fsum(total * total for total in sums.values())
    return Estimate(mean, sqrt(spread * count / (count - 1)) / len(values), count)


def jackknife(
    columns: Sequence[Sequence[float]],
    clusters: Sequence[Hashable],
    combine: Callable[[Sequence[float]], float],
) -> Estimate:
    """A function of several means and its delete-one-document jackknife standard error.

    ``se = sqrt((G - 1) / G * sum_g (theta_(g) - mean(theta))^2)`` (Efron and Stein 1981).

    Args:
        columns: for each mean, one value for each question.
        clusters: the document of each question.
        combine: makes the value from the means, in the order of ``columns``.

    Raises:
        ValueError: no values, or lengths differ.
    """
    size = _checked_length(columns[0], clusters)
    totals = [fsum(column) for column in columns]
    value = combine([total / size for total in totals])
    members = _cluster_sums([1.0] * size, clusters)
    if len(members) < 2:  # noqa: PLR2004 - as above
        return Estimate(value, None, len(members))
    sums = [_cluster_sums(column, clusters) for column in columns]
    left_out = [
        combine([(total - part[g]) / (size - members[g]) for total, part in zip(totals, sums, strict=True)])
        for g in members
    ]
    centre = fsum(left_out) / len(left_out)
    spread = fsum((theta - centre) ** 2 for theta in left_out)
    return Estimate(value, sqrt(spread * (len(left_out) - 1) / len(left_out)), len(left_out))


def _checked_length(values: Sequence[float], clusters: Sequence[Hashable]) -> int:
    if not values or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values for {len(clusters)} cluster labels; both must be equal and not empty")
    return len(values)


def _cluster_sums(values: Sequence[float], clusters: Sequence[Hashable]) -> dict[Hashable, float]:
    grouped: dict[Hashable, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        grouped[cluster].append(value)
    return {cluster: fsum(part) for cluster, part in grouped.items()}
