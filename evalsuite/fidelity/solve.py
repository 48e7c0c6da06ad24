"""Each golden case with the value that this package computes for it, streamed over files; `expected` is never read."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.fidelity.cases import Line, read
from evalsuite.fidelity.corpora import CORPORA, Member, members_within
from evalsuite.fidelity.solvers import Solver


@dataclass(frozen=True, slots=True)
class Solved:
    """A case and its value."""

    line: Line
    value: Any
    problem: str | None = None  # why there is no value


def solve(files: Sequence[Path], *, solvers: Mapping[str, Solver], only: Sequence[str] = ()) -> Iterator[Solved]:
    """Compute the value of every case; aggregates come last, when all members of their groups are known.

    Args:
        files: golden files; groups join across them.
        solvers: metric name -> function of one case.
        only: prefixes of the metrics wanted; none means all. Members of a wanted aggregate are computed anyway.

    Raises:
        UsageError: a file or a line is faulty.
    """
    prefixes = tuple(only) or ("",)
    aggregates = [line for line in read(files) if line.metric in CORPORA and line.metric.startswith(prefixes)]
    groups = {line.case.get("group") for line in aggregates} - {None}
    members: dict[str, list[Member]] = defaultdict(list)
    for line in read(files):
        joins = line.case.get("group") in groups
        if line.metric in CORPORA or not (joins or line.metric.startswith(prefixes)):
            continue
        solved = _solve(line, solvers)
        if joins and solved.problem is None:
            members[line.case["group"]].append(Member(line.metric, line.case, solved.value))
        if line.metric.startswith(prefixes):
            yield solved
    for line in aggregates:
        yield _solve_aggregate(line, members)


def _solve(line: Line, solvers: Mapping[str, Solver]) -> Solved:
    solver = solvers.get(line.metric)
    if solver is None:
        return Solved(line, None, f"unknown metric `{line.metric}`")
    return Solved(line, _guarded(solver, line))


def _solve_aggregate(line: Line, members: Mapping[str, Sequence[Member]]) -> Solved:
    group = line.case.get("group")
    joined = _guarded(lambda line: members_within(line.case), line) or _in_order(members.get(str(group), ()))
    if not joined:
        return Solved(line, None, f"the cases of group `{group}` are not among the given files")
    if any(member.value is None for member in joined):
        return Solved(line, None, f"group `{group}` holds a case whose reference is faulty")
    return Solved(line, _guarded(lambda line: CORPORA[line.metric](line.case, joined), line))


def _in_order(members: Sequence[Member]) -> list[Member]:
    return sorted(members, key=lambda member: member.case.get("index", 0))


def _guarded(solver: Solver, line: Line) -> Any:
    try:
        return solver(line)
    except KeyError as error:
        raise UsageError(f"{line.where}: case {line.id} lacks or does not know {error}") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise UsageError(f"{line.where}: case {line.id} is not a valid {line.metric} case: {error}") from error
