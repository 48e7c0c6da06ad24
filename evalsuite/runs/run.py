"""Reads run directories. Scoring, comparing and all other code use this reader."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.cells import Cell
from evalsuite.records import RequestRecord, RunRecord
from evalsuite.runs.directory import store
from evalsuite.runs.directory.journal import check_journal, read_journal
from evalsuite.runs.directory.samples import read_document, read_samples
from evalsuite.runs.directory.seal import check_seals, is_sealed
from evalsuite.scoring.join import Samples
from evalsuite.types import Completion, Sample, Score

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Run:
    """One run directory. Its record is read at once. Each other file is read and checked when it is needed."""

    folder: Path
    record: RunRecord

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """The run of a directory.

        Raises:
            UsageError: the directory holds no run, or its record is damaged.
        """
        return cls(Path(folder), store.read_record(Path(folder)))

    @property
    def model(self) -> str:
        """Name of the model in tables."""
        return self.record.spec.model_name or self.record.engine.model.name

    @cached_property
    def samples(self) -> Samples:
        """The samples. Every document is read once, to check that it is whole, and is not kept.

        Raises:
            UsageError: the file or a document is damaged.
        """
        self._check(store.SAMPLES)
        found: dict[tuple[str, str, int | None, int | None], dict[str, Sample]] = defaultdict(dict)
        documents: dict[str, None] = {}
        for line, sample in read_samples(self.folder):
            found[line.task, line.split, line.length, line.seed][sample.id] = sample
            documents[line.document_hash] = None
        for digest in documents:
            self.document(digest)
        return found

    @cached_property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests.

        Raises:
            UsageError: the file is damaged.
        """
        self._check(store.REQUESTS)
        return tuple(store.read_requests(self.folder, self.record))

    @cached_property
    def completions(self) -> Mapping[str, Completion]:
        """The answers, by key.

        Raises:
            UsageError: the journal is damaged. (An incomplete last line is allowed.)
        """
        self._check_journal()
        return read_journal(self.folder / store.COMPLETIONS).completions

    @cached_property
    def score_values(self) -> tuple[Score, ...]:
        """The scored answers; none before scoring.

        Raises:
            UsageError: the file is damaged.
        """
        self._check(store.SCORES)
        path = self.folder / store.SCORES
        return tuple(store.read_lines(path, Score)) if path.is_file() else ()

    @cached_property
    def cell_values(self) -> tuple[Cell, ...]:
        """The cells as they were written; none before scoring.

        Raises:
            UsageError: a file that they were made from was changed.
        """
        self._check(store.CELLS, store.SCORES, store.SAMPLES, store.REQUESTS)
        if is_sealed(self.record):
            self._check_journal()
            if store.REQUESTS not in self.record.sealed:
                deque(store.read_requests(self.folder, self.record), maxlen=0)  # each line is checked by itself
        path, sealed = self.folder / store.CELLS, self.record.sealed
        if not path.is_file() or (is_sealed(self.record) and store.CELLS not in sealed):
            return ()
        cells: tuple[Cell, ...] = store.read_value(path, tuple[Cell, ...])
        return cells

    def document(self, digest: str) -> str:
        """The text of a document, by its hash.

        Raises:
            UsageError: it is not there, or damaged.
        """
        return read_document(self.folder, digest)

    def cells(self) -> DataFrame:
        """The cells, one in each row. The columns are those of ``evalsuite schema cell``.

        Raises:
            UsageError: pandas is not installed, or a file is damaged.
        """
        return _frame(map(asdict, self.cell_values), tuple(Cell.__dataclass_fields__))

    def scores(self) -> DataFrame:
        """The scored answers, one in each row. Each metric has its own column.

        Raises:
            UsageError: pandas is not installed, or a file is damaged.
        """
        rows = list(map(_score_row, self.score_values))
        return _frame(rows, tuple(dict.fromkeys(name for row in rows for name in row)))

    def remarks(self) -> Iterator[str]:
        """Notes on its files, for a reader of its values."""
        if not is_sealed(self.record):
            yield f"{self.folder} is unsealed: it was written before files were sealed, damage would not be noticed"
        elif store.SCORES not in self.record.sealed:
            path = self.folder / store.COMPLETIONS
            count = path.read_bytes().count(b"\n") if path.exists() else 0
            yield f"{self.folder} is unfinished, {count} answers so far: run its command again to go on"
        for cell in self.record.rescored_identity:
            asked = "has another version than when it was asked; its answers are scored by that"
            yield f"{self.folder}: the task of {cell} {asked}"

    def _check(self, *names: str) -> None:
        again = f"`evalsuite score {self.folder}` writes it anew"
        made_anew = [name for name in names if name in (store.CELLS, store.SCORES)]
        check_seals(self.folder, self.record, made_anew, again)
        check_seals(self.folder, self.record, [name for name in names if name not in made_anew], store.AGAIN)

    def _check_journal(self) -> None:
        if is_sealed(self.record):
            check_journal(self.folder / store.COMPLETIONS, self.record.sealed.get(store.COMPLETIONS))


class Runs(Sequence[Run]):
    """Several runs, read together."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = tuple(runs)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - an index or a slice, as of a tuple
        return self._runs[at]

    def __len__(self) -> int:
        return len(self._runs)

    def cells(self) -> DataFrame:
        """The cells of all runs, one in each row."""
        rows = (asdict(cell) for run in self for cell in run.cell_values)
        return _frame(rows, tuple(Cell.__dataclass_fields__))

    def scores(self) -> DataFrame:
        """The scored answers of all runs, one in each row, with the name of the model."""
        rows = [{"model": run.model, **_score_row(score)} for run in self for score in run.score_values]
        return _frame(rows, tuple(dict.fromkeys(name for row in rows for name in row)))


def open_runs(paths: Iterable[str | Path]) -> Runs:
    """The runs of directories: each path is a run, or a folder of runs.

    Raises:
        UsageError: a path holds no run.
    """
    return Runs(map(Run.open, store.run_folders(map(Path, paths))))


def _score_row(score: Score) -> dict[str, object]:
    row = asdict(score)
    return {**{name: value for name, value in row.items() if name != "values"}, **row["values"]}


def _frame(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> DataFrame:
    from evalsuite.errors import needs

    with needs("tables", "a DataFrame"):
        import pandas as pd
    return pd.DataFrame(list(rows), columns=list(columns))
