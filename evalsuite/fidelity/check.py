"""The two commands on golden cases: compute their values, check them against the official ones."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.fidelity.agreement import agrees, raises
from evalsuite.fidelity.report import CheckReport, Disagreement, Tally, difference
from evalsuite.fidelity.solve import Solved, solve
from evalsuite.fidelity.solvers import solvers
from evalsuite.shared_files import write_pieces

_logger = logging.getLogger(__name__)


def compute(files: Sequence[Path], out: Path, tokenizers: Path | None) -> int:
    """Write one `{"id", "value"}` line for every case of the golden files, without reading `expected`.

    A case that cannot be computed (unknown metric, group not among the files) gets the value null and a warning.

    Args:
        files: golden files, plain or gzipped; groups join across them.
        out: file to write; it appears only when it is whole.
        tokenizers: folder of the golden tokenizers, for prompt cases.

    Returns:
        The number of lines written.

    Raises:
        UsageError: a file or a line is faulty, or `out` cannot be written.
    """
    problems: Counter[str] = Counter()

    def lines() -> Iterator[bytes]:
        for solved in solve(files, solvers=solvers(tokenizers)):
            problems[solved.problem or ""] += 1
            line = json.dumps({"id": solved.line.id, "value": solved.value}, ensure_ascii=False)
            yield f"{line}\n".encode()

    try:
        write_pieces(out, lines())
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error}") from error
    _warn(problems)
    return problems.total()


def check(files: Sequence[Path], only: Sequence[str] = (), tokenizers: Path | None = None) -> CheckReport:
    """Compare the computed value of every case with its `expected`.

    Args:
        files: golden files, plain or gzipped; groups join across them.
        only: prefixes of the metrics to check, aggregates' included; none means all.
        tokenizers: folder of the golden tokenizers, for prompt cases.

    Raises:
        UsageError: a file or a line is faulty, or no case is left to check.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    disagreements = []
    for solved in solve(files, solvers=solvers(tokenizers), only=only):
        metric = solved.line.metric
        reason = _disagreement(solved)
        documented = raises(solved.line.case["expected"])
        tallies[metric] = tallies[metric].plus(agreed=reason is None, documented=documented)
        if reason is not None:
            disagreements.append(Disagreement(solved.line.id, metric, reason))
    if not tallies:
        raise UsageError(f"no case to check among {len(files)} files; metrics asked for: {', '.join(only) or 'all'}")
    return CheckReport(dict(tallies), tuple(disagreements))


def _disagreement(solved: Solved) -> str | None:
    """Why a case does not agree, or None."""
    if "expected" not in solved.line.case:
        raise UsageError(f"{solved.line.where}: case {solved.line.id} has no `expected` to check against")
    if solved.problem is not None:
        return solved.problem
    expected = solved.line.case["expected"]
    return None if agrees(solved.line.metric, solved.value, expected) else difference(solved.value, expected)


def _warn(problems: Mapping[str, int]) -> None:
    for problem, count in problems.items():
        if problem:
            _logger.warning("%d value(s) left null: %s", count, problem)
