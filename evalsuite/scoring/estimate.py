"""Computes a metric over scored samples: means, subsets and derived metrics. Nothing else computes them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from evalsuite.stats.clustered import Estimate, clustered_mean, jackknife
from evalsuite.task import Metric
from evalsuite.types import Sample


@dataclass(frozen=True, slots=True)
class SampleValues:
    """A sample and the values of its answer."""

    sample: Sample
    values: Mapping[str, float]


def estimate(metric: Metric, samples: Iterable[SampleValues]) -> Estimate | None:
    """The metric over the samples of its subset; None if there are none."""
    counted = [one for one in samples if metric.subset is None or metric.subset(one.sample)]
    if not counted:
        return None
    columns = [[one.values[name] for one in counted] for name in metric.takes]
    return of_columns(metric, columns, [metric.cluster(one.sample) for one in counted])


def of_columns(metric: Metric, columns: Sequence[Sequence[float]], clusters: Sequence[Hashable]) -> Estimate:
    """The metric over columns of values, one for each name in ``metric.takes``.

    Raises:
        ValueError: there is no value, or a column has another length than the clusters.
    """
    if metric.combine is None:
        return clustered_mean(columns[0], clusters)
    combine, names = metric.combine, metric.takes
    return jackknife(columns, clusters, lambda means: combine(dict(zip(names, means, strict=True))))
