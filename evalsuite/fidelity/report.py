"""What a check of golden cases found."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SHOWN = 5
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one metric's cases."""

    agreed: int = 0
    total: int = 0
    documented: int = 0  # of the agreed: the official code raises and our documented choice stands

    def plus(self, *, agreed: bool, documented: bool) -> "Tally":
        """These counts with one case more."""
        return Tally(self.agreed + agreed, self.total + 1, self.documented + (agreed and documented))

    def __str__(self) -> str:
        raised = f" ({self.documented} where the official code raises, by our documented choice)"
        return f"{self.agreed} of {self.total} cases agree{raised if self.documented else ''}"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A case whose value is not the golden one."""

    id: str
    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Counts by metric and all disagreements."""

    by_metric: Mapping[str, Tally]
    disagreements: Sequence[Disagreement] = field(default=())

    @property
    def agreed(self) -> int:
        """Cases that agree, documented choices included."""
        return sum(tally.agreed for tally in self.by_metric.values())

    @property
    def total(self) -> int:
        """Cases checked."""
        return sum(tally.total for tally in self.by_metric.values())

    @property
    def documented(self) -> int:
        """Cases where the official code raises and our documented choice stands."""
        return sum(tally.documented for tally in self.by_metric.values())

    def lines(self) -> Iterator[str]:
        """The report as printed: one line a metric, the first disagreements of each, the total last."""
        width = max((len(metric) for metric in self.by_metric), default=0)
        for metric, tally in sorted(self.by_metric.items()):
            yield f"{metric:<{width}}  {tally}"
            failed = [case for case in self.disagreements if case.metric == metric]
            yield from (f"  {case.id}: {case.reason}" for case in failed[:_SHOWN])
            if len(failed) > _SHOWN:
                yield f"  and {len(failed) - _SHOWN} more"
        yield str(Tally(self.agreed, self.total, self.documented))


def difference(value: Any, expected: Any) -> str:
    """A short account of a value that is not the expected one."""
    return f"computed {_short(value)}, expected {_short(expected)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."
