"""Records of former versions, made into those of this one: read, never written."""

from __future__ import annotations

import json
from typing import Any

from evalsuite.records import ALL

_OF_RUN = ("model", "model_name", "max_model_len", "data", "skip_missing_data", "include_paths")


def upgraded(raw: bytes) -> bytes:
    """The JSON of a ``run.json`` in this version's shape; unchanged where it has that shape or is none.

    Version 1 had a flat spec: one block of questions, tasks' own splits and limits as texts.
    """
    try:
        record = json.loads(raw)
    except ValueError:
        return raw
    spec = record.get("spec") if isinstance(record, dict) else None
    if not isinstance(spec, dict) or record.get("schema_version") != 1 or "blocks" in spec:
        return raw
    return json.dumps({**record, "spec": _spec(spec)}).encode()


def _spec(old: dict[str, Any]) -> dict[str, Any]:
    block = {name: value for name, value in old.items() if name not in (*_OF_RUN, "seed")}
    block["split"] = _by_task(old.get("split"))
    block["limit_documents"] = {task: int(count) for task, count in _by_task(old.get("limit_documents")).items()}
    if "seed" in old:
        block["seeds"] = [old["seed"]]
    return {**{name: old[name] for name in _OF_RUN if name in old}, "blocks": [block]}


def _by_task(asked: str | None) -> dict[str, str]:
    entries = [entry.rpartition("=") for entry in (asked or "").split(",") if entry]
    return {name or ALL: value for name, _, value in entries}
