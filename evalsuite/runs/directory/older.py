"""Reads records of earlier versions. They are never written."""

from __future__ import annotations

import json
from typing import Any

from evalsuite.records import ALL

_OF_RUN = ("model", "model_name", "max_model_len", "data", "skip_missing_data", "include_paths")


def upgraded(raw: bytes) -> bytes:
    """The JSON of a ``run.json`` in the format of this version. Other JSON is not changed.

    Version 1 had a flat spec: one block of questions, tasks' own splits and limits as texts.
    """
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    spec = record.get("spec") if isinstance(record, dict) else None
    if not isinstance(spec, dict) or record.get("schema_version") != 1 or "blocks" in spec:
        return raw
    return json.dumps({**record, "spec": _spec(spec)}).encode()


def _spec(old: dict[str, Any]) -> dict[str, Any]:
    block = {name: value for name, value in old.items() if name not in (*_OF_RUN, "seed")}
    for name in ("split", "limit_documents"):
        if name in old:
            block[name] = _by_task(old[name])
    if "seed" in old:
        block["seeds"] = [old["seed"]]
    return {**{name: old[name] for name in _OF_RUN if name in old}, "blocks": [block]}


def _by_task(asked: Any) -> Any:
    """``2,qasper=5`` as a mapping by task; what is no such text stays as it is, for the record's reader to refuse.

    As version 1 read them: the first entry for all tasks counts, and the last one for a task.
    """
    if asked is None:
        return {}
    if not isinstance(asked, str):
        return asked
    found: dict[str, str] = {}
    for entry in asked.split(","):
        name, equals, value = entry.rpartition("=")
        if equals:
            found[name] = value
        else:
            found.setdefault(ALL, value)
    return found
