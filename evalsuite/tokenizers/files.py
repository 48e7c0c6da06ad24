"""The files of a model, and hashes of sets of files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from evalsuite.errors import UsageError, needs
from evalsuite.types import Json

TOKENIZER_PATTERNS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "tekken.json",
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates/*.jinja",
)
"""Files that decide a text's ids or a chat's rendering."""

CHUNK = 1 << 22
LONGEST_REASON = 240

_digests: dict[tuple[str, int, int, int], str] = {}


def model_folder(path_or_id: str, patterns: Iterable[str], *, revision: str | None = None) -> Path:
    """The local folder of a model: the path given, or the hub snapshot (fetched unless HF_HUB_OFFLINE says not to).

    Args:
        path_or_id: a folder, or a Hugging Face model id.
        patterns: glob patterns of the files that are needed.
        revision: commit, tag or branch on the hub; meaningless for a folder.

    Raises:
        UsageError: no such folder, and no such model on the hub or in its cache.
    """
    path = Path(path_or_id).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or path_or_id.startswith((".", "~")) or path_or_id.count("/") > 1:
        raise UsageError(f"model folder {path_or_id!r} does not exist; give a folder or a Hugging Face model id")
    return _snapshot(path_or_id, [*patterns, "config.json"], revision)


def _snapshot(repo: str, patterns: list[str], revision: str | None) -> Path:
    with needs("openai", f"{repo}: the Hugging Face hub"):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    at = f" at revision {revision!r}" if revision else ""
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=patterns))
    except HFValidationError:
        raise UsageError(f"{repo!r} is neither a folder nor a Hugging Face model id") from None
    except LocalEntryNotFoundError:
        offline = "HF_HUB_OFFLINE is set; " if os.environ.get("HF_HUB_OFFLINE") else ""
        raise UsageError(
            f"no folder {repo!r}, and the Hugging Face hub could not be asked for it{at} nor is it in the cache: "
            f"{offline}download it first, or give a local folder"
        ) from None
    except (HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"no folder {repo!r}, and the Hugging Face hub has no such model{at}: {reason}") from None


def read_object(path: Path) -> dict[str, Json]:
    """A file that is one JSON object.

    Raises:
        UsageError: it is something else, or cannot be read.
    """
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_each_once)
    except (OSError, RecursionError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({one_line(error)}); copy or save it again") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: must be a JSON object; copy or save it again")
    return content


def _each_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands there twice")
    return made


def one_line(error: BaseException) -> str:
    """The text of an error, shortened to one line."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= LONGEST_REASON else f"{said[:LONGEST_REASON]}..."


def tokenizer_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that make its tokenizer, sorted by name."""
    return tuple(sorted(path for pattern in TOKENIZER_PATTERNS for path in folder.glob(pattern)))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, read in chunks and remembered while path, size, time and inode stay the same."""
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino)
    if key not in _digests:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        _digests[key] = digest.hexdigest()
    return _digests[key]


def folder_digest(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names (inside the folder) and contents of files; never over the folder's own path."""
    lines = sorted(f"{path.relative_to(folder).as_posix()} {file_digest(path)}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
