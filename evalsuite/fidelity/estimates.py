"""Official values over a data set, by the estimate that runs make."""

from collections.abc import Iterable, Mapping, Sequence

from evalsuite.scoring.estimate import SampleValues, estimate
from evalsuite.task import Metric
from evalsuite.types import Document, Json, Sample


def sample_values(rows: Iterable[tuple[Mapping[str, float], Mapping[str, Json]]]) -> list[SampleValues]:
    """Values as those of a sample each, with the attributes by which a metric tells its subset."""
    return [
        SampleValues(Sample(str(number), Document(str(number), ""), "", (), attributes=attributes), values)
        for number, (values, attributes) in enumerate(rows)
    ]


def value(metric: Metric, counted: Sequence[SampleValues]) -> float | None:
    """The metric over the samples of its subset; None where there is none."""
    found = estimate(metric, counted)
    return None if found is None else found.value


def part(name: str, attribute: str, wanted: Json) -> Metric:
    """A metric over the samples whose attribute has a value."""
    return Metric(name, subset=lambda sample: bool(sample.attributes[attribute] == wanted), averages=name)
