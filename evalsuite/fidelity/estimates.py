"""Official values over a data set, by the estimate that runs make."""

from collections.abc import Iterable, Mapping, Sequence

from evalsuite.scoring.estimate import Judged, estimate
from evalsuite.task import Metric
from evalsuite.types import Document, Json, Sample


def judged(rows: Iterable[tuple[Mapping[str, float], Mapping[str, Json]]]) -> list[Judged]:
    """Values as those of a sample each, with the attributes by which a metric tells its subset."""
    return [
        Judged(Sample(str(number), Document(str(number), ""), "", (), attributes=attributes), values)
        for number, (values, attributes) in enumerate(rows)
    ]


def value(metric: Metric, counted: Sequence[Judged]) -> float | None:
    """The metric over the samples of its subset; None where there is none."""
    found = estimate(metric, counted)
    return None if found is None else found.value


def part(name: str, attribute: str, wanted: Json) -> Metric:
    """A metric over the samples whose attribute has a value."""
    return Metric(name, subset=lambda sample: bool(sample.attributes[attribute] == wanted), source=name)
