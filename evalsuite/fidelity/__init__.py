"""Golden cases of the benchmarks' official code: computed by this package, and checked."""

from evalsuite.fidelity.check import check, compute
from evalsuite.fidelity.report import CheckReport

__all__ = ["CheckReport", "check", "compute"]
