"""The samples and documents of a run. Each text is stored once; its hash is its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.records import SampleRecord
from evalsuite.runs.directory.store import AGAIN, DOCUMENTS, SAMPLES, read_lines
from evalsuite.shared_files import write_atomic
from evalsuite.types import Document, Sample

_DIGEST = re.compile("[0-9a-f]{64}")


def write_document(folder: Path, document: Document) -> None:
    """Stores the text of a document once, under its hash."""
    import zstandard

    path = folder / DOCUMENTS / f"{document.hash}.txt.zst"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, zstandard.compress(document.text.encode("utf-8", "surrogatepass")))


def read_document(folder: Path, digest: str) -> str:
    """The text of a stored document.

    Raises:
        UsageError: it is not there or damaged.
    """
    import zstandard

    path = folder / DOCUMENTS / f"{digest}.txt.zst"
    if not _DIGEST.fullmatch(digest) or not path.is_file():
        raise UsageError(f"{path} is missing: the run directory is damaged; {AGAIN}")
    try:
        # Read as a stream: a damaged header may claim any size.
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            text = stream.read()
    except (zstandard.ZstdError, MemoryError) as error:
        raise UsageError(f"{path}: damaged ({error}); {AGAIN}") from None
    if sha256(text).hexdigest() != digest:
        raise UsageError(f"{path}: damaged: its text is not the one its name stands for; {AGAIN}")
    return text.decode("utf-8", "surrogatepass")


def sample_record(task: str, split: str, sample: Sample, seed: int | None = None) -> SampleRecord:
    """The line that stores a sample; the seed is that of a generated document."""
    return SampleRecord(
        task=task,
        split=split,
        length=sample.document.length,
        id=sample.id,
        document_hash=sample.document.hash,
        document_id=sample.document.id,
        question=sample.question,
        references=sample.references,
        choices=sample.choices,
        gold=sample.gold,
        evidence=sample.evidence,
        attributes=sample.attributes,
        seed=seed,
    )


class StoredDocument(Document):
    """A document of a run. Its text is read when it is needed, and not kept."""

    def __init__(self, folder: Path, digest: str, name: str, length: int | None) -> None:
        """Reads nothing.

        Args:
            folder: the run directory.
            digest: the document's hash.
            name: its id.
            length: tokens it was made to have.
        """
        for field, value in (("_folder", folder), ("hash", digest), ("id", name), ("length", length)):
            object.__setattr__(self, field, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return (self.id, self.hash, self.length) == (other.id, other.hash, other.length)

    def __hash__(self) -> int:
        return hash((self.id, self.hash, self.length))

    @property
    def text(self) -> str:
        """The text.

        Raises:
            UsageError: the stored text is missing or damaged.
        """
        return _last_read(self._folder, self.hash)  # type: ignore[attr-defined]


@lru_cache(maxsize=2)
def _last_read(folder: Path, digest: str) -> str:
    return read_document(folder, digest)


def read_samples(folder: Path) -> Iterator[tuple[SampleRecord, Sample]]:
    """The samples of a run and their records. Texts are read when they are needed."""
    documents: dict[tuple[str, str], Document] = {}
    for record in read_lines(folder / SAMPLES, SampleRecord):
        key = (record.document_id, record.document_hash)
        if key not in documents:
            documents[key] = StoredDocument(folder, record.document_hash, record.document_id, record.length)
        yield (
            record,
            Sample(
                record.id,
                documents[key],
                record.question,
                record.references,
                record.choices,
                record.gold,
                record.evidence,
                record.attributes,
            ),
        )
