"""What a server has and can do, asked once before anything is planned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from evalsuite.engines.openai.agreement import agree
from evalsuite.engines.openai.ask import Mode, disagreement
from evalsuite.engines.openai.http import Client, NoAnswer
from evalsuite.engines.openai.options import Options
from evalsuite.engines.openai.reply import Reply, read_reply, whole
from evalsuite.errors import UsageError, unknown
from evalsuite.interfaces import Tokenizer
from evalsuite.records import ModelIdentity

PROBE = "One two three"
LIMIT_FIELDS = ("max_model_len", "context_length", "max_context_length", "n_ctx")
"""Names under which servers list the longest prompt plus answer."""


@dataclass(frozen=True, slots=True)
class Served:
    """A served model."""

    identity: ModelIdentity
    software: str
    max_model_len: int | None
    max_model_len_source: str
    mode: Mode
    notes: tuple[str, ...]


def probe(chosen: Options, client: Client, tokenizer: Tokenizer, max_model_len: int | None) -> Served:
    """Reads the server's list of models and finds out how prompts are best sent.

    Args:
        chosen: where and how to ask.
        client: the connection.
        tokenizer: as given by the user.
        max_model_len: as given by the user; the server's smaller limit is obeyed.

    Raises:
        UsageError: no server, a refused key, or a model it does not have.
    """
    notes: list[str] = []
    entry = _safe(_listed(chosen, client, notes), client)
    mode = Mode(chat=True) if chosen.endpoint == "chat" else _completions_mode(chosen, client, tokenizer, notes)
    served = _limit(entry, notes)
    if served is not None and not mode.chat:
        served -= 1
        notes.append("the maximum is one token below the served one: a scored option needs room for a token behind it")
    limit, source = _smaller(served, max_model_len, notes)
    if mode.chat:
        notes.append("the server puts prompts into its own chat template; prompt_tokens is its count")
    return Served(_identity(chosen, entry), _software(entry), limit, source, mode, tuple(notes))


def _listed(chosen: Options, client: Client, notes: list[str]) -> Mapping[str, Any]:
    """The server's entry for the model."""
    try:
        body = client.get("/models")
    except NoAnswer as trouble:
        if not getattr(trouble, "reached", True):
            raise UsageError(f"openai: {trouble}; is the server up, and base_url right?") from None
        notes.append("the server lists no models: its limit is unknown")
        return {}
    data = body.get("data")
    if not isinstance(data, list):
        notes.append("the server's list of models cannot be read: its limit is unknown")
        return {}
    entries = {entry["id"]: entry for entry in data if isinstance(entry, dict) and isinstance(entry.get("id"), str)}
    if entries and chosen.model not in entries:
        known = {client.secret.shown(name): name for name in entries}
        raise UsageError(f"openai: {unknown('served model', chosen.model, known)}")
    return entries.get(chosen.model, {})


def _safe(entry: Mapping[str, Any], client: Client) -> Mapping[str, Any]:
    """What the server says of the model, its words fit to be written down."""
    return {key: client.secret.shown(value) if isinstance(value, str) else value for key, value in entry.items()}


def _completions_mode(chosen: Options, client: Client, tokenizer: Tokenizer, notes: list[str]) -> Mode:
    if chosen.prompt == "text":
        return _text(notes)
    ids = tokenizer.encode(PROBE, special_tokens=True)
    body = {"model": chosen.model, "prompt": ids, "max_tokens": 1, "temperature": 0, **chosen.body}
    for more in ({"return_token_ids": True}, {}):
        try:
            reply = client.post("/completions", {**body, **more}, _first_reply, tokens=len(ids) + 1)
        except NoAnswer as trouble:
            refused = str(trouble)
            continue
        if reply.usage.prompt in {None, len(ids)}:
            _check_tokenizer(reply, client, tokenizer)
            return Mode(ids=True, returns_ids=reply.ids is not None)
        refused = f"it read {reply.usage.prompt} tokens of {len(ids)}"
    if chosen.prompt == "ids":
        raise UsageError(f"openai: the server does not take token ids: {refused}")
    return _text(notes)


def _text(notes: list[str]) -> Mode:
    notes.append("prompts go as text: the server's tokenizer makes its own ids of them")
    return Mode()


def _first_reply(said: dict[str, Any]) -> Reply:
    return read_reply(said, ())


def _check_tokenizer(reply: Reply, client: Client, tokenizer: Tokenizer) -> None:
    """Refuses a tokenizer that reads another text into the server's token ids than the server does."""
    if reply.ids is not None and not agree(reply.text, reply.ids, (), tokenizer):
        raise UsageError(f"openai: {disagreement(reply.text, reply.ids, tokenizer, client.secret)}")


def _limit(entry: Mapping[str, Any], notes: list[str]) -> int | None:
    meta = entry.get("meta")
    for fields in (entry, meta if isinstance(meta, dict) else {}):
        for name in LIMIT_FIELDS:
            value = fields.get(name)
            if value is None:
                continue
            if (whole(value) or 0) > 1:
                return int(value)
            notes.append(f"the server's {name} is no limit, and is left out")
    return None


def _smaller(served: int | None, asked: int | None, notes: list[str]) -> tuple[int | None, str]:
    if served is None:
        return asked, "option" if asked is not None else "unknown"
    if asked is None or asked > served:
        if asked is not None:
            notes.append(f"--max-model-len {asked} is more than the {served} the server takes")
        return served, "server"
    return asked, "option"


def _identity(chosen: Options, entry: Mapping[str, Any]) -> ModelIdentity:
    revision = chosen.revision or next((str(entry[k]) for k in ("revision", "root") if _reported(entry, k)), None)
    recorded = chosen.recorded()
    digest = sha256(json.dumps([chosen.model, revision, recorded]).encode()).hexdigest()
    return ModelIdentity(chosen.model, digest, revision, recorded)


def _reported(entry: Mapping[str, Any], key: str) -> bool:
    """Whether the server says it; a path tells nothing about the content behind it."""
    value = entry.get(key)
    return isinstance(value, str) and not value.startswith(("/", "."))


def _software(entry: Mapping[str, Any]) -> str:
    owner = entry.get("owned_by")
    return owner if isinstance(owner, str) else "unknown"
