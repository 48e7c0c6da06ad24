"""Notes on differences between the runs of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from evalsuite.records import RunRecord


def differences(records: Mapping[str, RunRecord]) -> Iterator[str]:
    """Notes on what makes a comparison of these runs difficult or wrong.

    Args:
        records: by run directory.
    """
    yield from incomparable(records)
    for name, record in records.items():
        if record.provenance == "imported":
            yield f"{name} holds imported predictions: prompts, cuts and tokens are unknown"
        if record.engine_changes:
            used = ", ".join(f"{info.scheme} {info.version}" for info in (record.engine, *record.engine_changes))
            yield f"{name} was answered by more than one engine: {used}"
    yield from _conditions(records)
    engines = {f"{record.engine.scheme} {record.engine.version}" for record in records.values()}
    if len(engines) > 1:
        yield f"the runs were answered by different engines: {', '.join(sorted(engines))}"


def _conditions(records: Mapping[str, RunRecord]) -> Iterator[str]:
    """Conditions of the model. They may differ between models, but a reader must know."""
    lengths = {record.engine.max_model_len for record in records.values() if record.provenance == "generated"}
    if len(lengths) > 1:
        said = ", ".join("unknown" if most is None else f"{most:,}" for most in sorted(lengths, key=lambda n: n or 0))
        yield f"the models take prompts of different lengths: {said} tokens"
    tokenizers = {record.engine.tokenizer for record in records.values() if record.provenance == "generated"}
    if len(tokenizers) > 1:
        yield "the models have different tokenizers: a cap of N tokens keeps different amounts of text"


def incomparable(records: Mapping[str, RunRecord]) -> Iterator[str]:
    """Notes on cells that must not be compared: the runs asked, or scored, different questions.

    Args:
        records: by run directory.
    """
    asked: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, record in records.items():
        for cell, identity in record.question_identity.items():
            asked[cell][identity, record.rescored_identity.get(cell, identity)].append(name)
    for cell, identities in asked.items():
        if len(identities) > 1:
            yield f"not comparable: {cell} asked different questions in " + " and ".join(
                names[0] for names in identities.values()
            )
