"""Checkpoints with one thing changed: each runs properly or is refused in one line, quickly and in little memory."""

from __future__ import annotations

import json
import resource
import struct
from collections.abc import Callable, Iterator
from math import isfinite, nan
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.types import Completion, Cut, Request
from evalsuite.work import Choose, Generate

pytest.importorskip("torch", reason="needs the hf extra")

MOST_MEMORY = 300 * 1024
"""Most kilobytes the process may grow by over one checkpoint of 0.2 MB."""
LONGEST_LINE = 600
PROMPT = (0, *range(70, 120))
CUT = Cut("left", None, len(PROMPT), "model", len(PROMPT), len(PROMPT))
ROPE = {"rope_type": "default", "rope_theta": 1e4}
CONFIG: dict[str, list[Any]] = {
    "model_type": ["gpt2", "t5", "nonesuch", 5, None],
    "num_hidden_layers": [0, 1, 3, 10**9, "2"],
    "num_attention_heads": [3, 5, -4],
    "num_key_value_heads": [1, 10**6],
    "hidden_size": [0, 64, 10**12, 10**30],
    "vocab_size": [-1, 511, 10**9],
    "max_position_embeddings": [0, -1, 10**12, "x", 1.5],
    "sliding_window": [-1, 0],
    "rms_norm_eps": [nan, "x"],
    "hidden_act": ["nonesuch", 7],
    "dtype": ["float31", 5],
    "eos_token_id": ["x", {}],
    "quantization_config": [{}, {"quant_method": "nonesuch"}],
    "rope_parameters": [
        {**ROPE, "rope_theta": 0},
        {**ROPE, "rope_type": "linear", "factor": nan},
        {**ROPE, "rope_type": "nonesuch"},
        [],
    ],
    "transformers_weights": ["/etc/passwd", "adapter_model.bin"],
    "auto_map": [{"AutoConfig": "code.Config"}],
}
GENERATION: dict[str, list[Any]] = {"eos_token_id": ["x", [None], -1], "temperature": ["hot", nan], "max_length": [-5]}
TOKENIZER: dict[str, list[Any]] = {
    "model_max_length": ["x", nan, []],
    "eos_token": [5, {"content": 5}],
    "tokenizer_class": ["Nonesuch", 5],
}
BYTES = {"no bytes": b"", "half a file": b'{"a":', "depth": b"[" * 100_000, "a list": b"[]", "no text": b"\xff\xfe\0"}
SAFETENSORS: dict[str, Any] = {
    "a type of whole numbers": {"dtype": "I32"},
    "an unknown type": {"dtype": "F31"},
    "a shape of no such size": {"shape": [10**12, 10**12]},
    "a negative shape": {"shape": [-1]},
    "offsets outside": {"data_offsets": [0, 10**15]},
    "offsets turned round": {"data_offsets": [128, 0]},
}


def _fields(file: str, fields: dict[str, list[Any]]) -> Iterator[tuple[str, str, Callable[[bytes], bytes]]]:
    for name, values in fields.items():
        for value in values:
            yield (
                f"{file}: {name}={value}",
                file,
                lambda old, name=name, value=value: json.dumps({**json.loads(old or b"{}"), name: value}).encode(),  # type: ignore[misc]
            )


def _header(change: dict[str, Any]) -> Callable[[bytes], bytes]:
    def changed(old: bytes) -> bytes:
        size = struct.unpack("<Q", old[:8])[0]
        header = json.loads(old[8 : 8 + size])
        header["model.norm.weight"].update(change)
        made = json.dumps(header).encode()
        return struct.pack("<Q", len(made)) + made + old[8 + size :]

    return changed


def _mutations() -> Iterator[tuple[str, str, Callable[[bytes], bytes]]]:
    yield from _fields("config.json", CONFIG)
    yield from _fields("generation_config.json", GENERATION)
    yield from _fields("tokenizer_config.json", TOKENIZER)
    for file in ("config.json", "generation_config.json", "tokenizer.json", "model.safetensors.index.json"):
        for what, content in BYTES.items():
            yield f"{file}: {what}", file, lambda _, content=content: content  # type: ignore[misc]
    for what, change in SAFETENSORS.items():
        yield f"model.safetensors: {what}", "model.safetensors", _header(change)
    for size in (0, 7, 2**40, 2**63):
        yield f"a header of {size} bytes", "model.safetensors", lambda old, size=size: struct.pack("<Q", size) + old[8:]  # type: ignore[misc]


MUTATIONS = tuple(_mutations())


def _asked() -> list[Request]:
    works = {"write": Generate(4), "choose": Choose(((80, 81), (90,)))}
    return [Request(f"c/{key}", "c", key, "d", key, PROMPT, work, CUT) for key, work in works.items()]


def _run(folder: Path) -> tuple[str, tuple[str, ...], list[Completion]]:
    from evalsuite.engines.hf import load

    engine = load(str(folder), {})
    found = sorted(engine.complete([_asked()]), key=lambda completion: completion.key)
    engine.tokenizer.encode_literal("a text")
    return engine.info.model.hash, engine.info.notes, found


def _outcome(folder: Path) -> str | tuple[str, tuple[str, ...], list[Completion]]:
    """What came of it: the line that refuses it, or a run."""
    try:
        return _run(folder)
    except UsageError as error:
        return str(error)


@pytest.fixture(scope="module")
def right(tiny_model: Path) -> tuple[str, tuple[str, ...], list[Completion]]:
    return _run(tiny_model)


def test_there_are_sixty_and_more() -> None:
    assert len(MUTATIONS) >= 60


@pytest.mark.parametrize(("what", "file", "change"), MUTATIONS, ids=[what for what, _, _ in MUTATIONS])
def test_a_checkpoint_with_one_thing_changed_runs_properly_or_is_refused_in_one_line(
    tiny_model: Path,
    right: tuple[str, tuple[str, ...], list[Completion]],
    tmp_path: Path,
    what: str,
    file: str,
    change: Callable[[bytes], bytes],
) -> None:
    folder = Path(copytree(tiny_model, tmp_path / "model"))
    old = (folder / file).read_bytes() if (folder / file).exists() else b""
    (folder / file).write_bytes(change(old))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = _outcome(folder)
    if isinstance(outcome, str):
        assert "\n" not in outcome
        assert len(outcome) < LONGEST_LINE
    else:
        identity, notes, found = outcome
        assert identity != right[0], what
        assert [c.key for c in found] == ["choose", "write"]
        for completion in found:
            assert completion.error or isfinite(sum(option.logprob for option in completion.options))
        # What changes an answer is said.
        assert found == right[2] or notes or all(completion.error for completion in found), what
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY
