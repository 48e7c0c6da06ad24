"""Reading golden cases: JSON Lines, plain or gzipped, one case a line."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from evalsuite.benchmark import GoldenPrompts
from evalsuite.errors import UsageError
from evalsuite.plugins import find_benchmarks

Case = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One golden case and where it stands."""

    case: Case
    path: Path
    number: int  # of the line, from 1

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.path}:{self.number}"

    @property
    def id(self) -> str:
        """The case's own name."""
        return str(self.case["id"])

    @property
    def metric(self) -> str:
        """The name under which the case is computed and counted.

        Prompt cases name no metric of their own: the benchmark whose field they have does.
        """
        prompts = prompts_of(self.case)
        return str(self.case["metric"]) if prompts is None else prompts.metric


@cache
def golden_prompts() -> Mapping[str, GoldenPrompts]:
    """How the benchmarks' official prompts are built again, by the field that marks their cases."""
    found = (benchmark.prompts for benchmark in find_benchmarks().values())
    return {prompts.field: prompts for prompts in found if prompts is not None}


def prompts_of(case: Mapping[str, Any]) -> GoldenPrompts | None:
    """Whose official prompt a case records; None for a case of a score."""
    return next((prompts for field, prompts in golden_prompts().items() if field in case), None)


def read(files: Sequence[Path]) -> Iterator[Line]:
    """The cases of several files, in order; records that only prompt cases refer to are passed over.

    Raises:
        UsageError: a file cannot be read, a line is no case, or an id comes twice.
    """
    seen: dict[str, str] = {}
    for path in files:
        for line in _lines(path):
            if _is_record(line.case):
                continue
            _require_name(line)
            if line.id in seen:
                raise UsageError(f"{line.where}: case {line.id} was read at {seen[line.id]}; give each file once")
            seen[line.id] = line.where
            yield line


def _lines(path: Path) -> Iterator[Line]:
    try:
        with _open(path) as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield Line(_parse(text, f"{path}:{number}"), path, number)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _parse(text: str, where: str) -> Case:
    try:
        case = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where}: not a JSON line: {error}") from error
    if not isinstance(case, dict):
        raise UsageError(f"{where}: a case is a JSON object, this is a {type(case).__name__}")
    return case


def _is_record(case: Case) -> bool:
    return "id" not in case and "record" in case and "row" in case


def _require_name(line: Line) -> None:
    if not isinstance(line.case.get("id"), str):
        raise UsageError(f"{line.where}: a golden case needs a text `id`")
    if not {"metric", *golden_prompts()} & line.case.keys():
        fields = " or ".join(f"`{field}`" for field in golden_prompts())
        raise UsageError(f"{line.where}: case {line.id} has no `metric` (nor the {fields} of a prompt case)")
