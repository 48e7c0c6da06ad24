"""Reads the samples of a task, again each time they are needed. So a plan has no texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from evalsuite.errors import MissingDataError
from evalsuite.interfaces import Tokenizer
from evalsuite.prompts.shots import demonstration_pool
from evalsuite.records import DataFileRecord
from evalsuite.sources import open_source
from evalsuite.task import Selection, Task
from evalsuite.types import Document, Sample


@dataclass(frozen=True, slots=True)
class Told:
    """What the sources reported: notes, and the files with their checksums, each once."""

    notes: list[str] = field(default_factory=list)
    files: list[DataFileRecord] = field(default_factory=list)

    def take(self, notes: Iterable[str], files: Iterable[DataFileRecord]) -> None:
        """Keeps what is new."""
        self.notes.extend(note for note in notes if note not in self.notes)
        self.files.extend(file for file in files if file not in self.files)


@dataclass(frozen=True, slots=True)
class Reading:
    """The samples of one task, split and length; for generated documents also of one seed."""

    task: Task
    split: str
    length: int | None
    """Tokens that the documents were made to have; None for natural ones."""
    limit: int | None
    """Number of documents with text that are asked; None asks all."""
    data: str | None
    """The folder of the publishers' files; None uses EVALSUITE_DATA, else the hub."""
    tokenizer: Tokenizer | None = None
    """The model's tokenizer. A generated document has its length in these tokens."""
    seed: int | None = None
    """Seed of generated documents; None for natural ones."""

    @property
    def key(self) -> str:
        """A readable name, unique in a run."""
        size = "" if self.length is None else f"/length-{self.length}"
        drawn = "" if self.seed is None else f"/seed-{self.seed}"
        return f"{self.task.name}/{self.split}{size}{drawn}"

    def samples(self, told: Told | None = None) -> Iterator[Sample]:
        """The samples in file order, all questions of a document together.

        Args:
            told: gets the notes and files of the sources.

        Raises:
            UsageError: the data is missing or malformed.
        """
        return _first_documents(self._read(self.split, told or Told()), self.limit)

    def documents(self, told: Told | None = None) -> Iterator[tuple[Sample, ...]]:
        """The samples, grouped by document."""
        for _, group in groupby(self.samples(told), key=lambda sample: sample.document.id):
            yield tuple(group)

    def pool(self, told: Told) -> tuple[Sample, ...]:
        """The samples that demonstrations are drawn from: the training split, else this split."""
        train = self.task.train_split
        if train is not None and train != self.split:
            try:
                pool = demonstration_pool(self._read(train, told))
            except MissingDataError:
                pool = ()
            if pool:
                return pool
        where = f"other documents of the {self.split} split (no usable training split)"
        told.take((f"demonstrations come from {where}",), ())
        return demonstration_pool(self._read(self.split, told))

    def _read(self, split: str, told: Told) -> Iterator[Sample]:
        task = self.task
        source = open_source(task.dataset, self._folder(), split=split, task=task.name, optional=task.generated)
        try:
            yield from self._sized(task.samples(Selection(source, split, self.length, self.seed or 0, self.tokenizer)))
        finally:
            told.take(source.notes, source.used)

    def _folder(self) -> Path | None:
        folder = self.data or os.environ.get("EVALSUITE_DATA")
        root = None if folder is None else Path(folder)
        if self.length is None or self.task.generated:
            return root
        return (root or Path()) / f"length-{self.length}"

    def _sized(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """The samples with their length. The questions of a document share one Document value."""
        last: tuple[Document, Document] | None = None
        for sample in samples:
            if sample.document.length == self.length:
                yield sample
                continue
            if last is None or last[0] is not sample.document:
                last = (sample.document, replace(sample.document, length=self.length))
            yield replace(sample, document=last[1])


def _first_documents(samples: Iterable[Sample], limit: int | None) -> Iterator[Sample]:
    """Samples of the first ``limit`` documents with text. Empty documents between them are kept, but not counted."""
    present: set[str] = set()
    for sample in samples:
        if limit is not None and sample.document.text:
            present.add(sample.document.id)
            if len(present) > limit:
                return
        yield sample
