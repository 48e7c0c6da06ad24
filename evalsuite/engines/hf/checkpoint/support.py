"""Says which models can share prefixes, and why others cannot."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from evalsuite.engines.hf.compute.network import PROBE, Network, attention_of

MASKABLE = ("sdpa", "eager")
LENGTH_DEPENDENT = ("dynamic", "longrope")
ALIBI = ("bloom", "mpt")
PREFIX, SUFFIX = 9, 6
NEW = 2
"""Tokens the first probe generates: the second is the first that looks back into a cache."""
TOLERANCE = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2}
"""Largest mean difference of log-probabilities on the probe, against their spread, that is rounding.

Measured: rounding 1e-6, 0.001 and 0.008 in the three types; a position off by one 0.07 to 0.18, a wrong mask 0.6.
"""


def obstacles(model: Any) -> Iterator[str]:
    """Why a model's requests cannot share a prefix; nothing where they can."""
    if model.config.is_encoder_decoder:
        yield "encoder-decoder model"
        return
    config = model.config.get_text_config(decoder=True)
    if attention_of(model.config) not in MASKABLE:
        yield f"attention kernel {attention_of(model.config)} takes no mask"
    if not has_plain_cache(config):
        yield "sliding-window, hybrid or recurrent cache"
    if length_dependent_rope(config):
        yield "RoPE that depends on the sequence's length"
    if "position_ids" not in inspect.signature(model.forward).parameters:
        yield "positions cannot be given"


def pads_safely(model: Any) -> bool:
    """Whether a batch may hold rows of several lengths without one changing another's result."""
    config = model.config.get_text_config(decoder=True)
    recurrent = bool(getattr(model, "_is_stateful", False))
    # Decoders are padded on the left: positions must be given, or count from one token to another as ALiBi does.
    placed = (
        model.config.is_encoder_decoder
        or "position_ids" in inspect.signature(model.forward).parameters
        or config.model_type in ALIBI
    )
    return placed and not recurrent and not length_dependent_rope(config)


def gives_finite_logits(model: Any, most: int | None) -> bool:
    """Runs a few tokens through a model, generates two more, and says whether all logits were finite."""
    tokens = max(1, min(PROBE, (most or PROBE) - NEW))
    ids = torch.arange(tokens, device=model.get_input_embeddings().weight.device)[None]
    ids %= model.get_input_embeddings().weight.shape[0]
    more = {"decoder_input_ids": ids[:, :1]} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)
        return bool(model(input_ids=ids, **more).logits.amax(dim=-1).isfinite().all())


def learned_positions(model: Any) -> bool:
    """Whether positions are looked up in a table (GPT-2, OPT, BART), which ends where the model's length ends."""
    names = (name.rsplit(".", 1)[-1] for name, part in model.named_modules() if isinstance(part, torch.nn.Embedding))
    return any(name == "wpe" or name.startswith(("embed_positions", "position_embed")) for name in names)


def has_plain_cache(config: Any) -> bool:
    """Whether every layer keeps all keys and values."""
    try:
        layers = DynamicCache(config=config).layers
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    # GPT-Neo masks its local layers by key index inside the attention; its cache keeps everything.
    local = "local" in (getattr(config, "attention_layers", None) or ())
    return not local and all(type(layer) is DynamicLayer for layer in layers)


def length_dependent_rope(config: Any) -> bool:
    """Whether a token's rotation depends on how long its sequence is."""
    parameters = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    nested = [value for value in parameters.values() if isinstance(value, Mapping)]
    kinds = {str(p.get("rope_type", p.get("type", "default"))) for p in (parameters, *nested)}
    return any(kind in LENGTH_DEPENDENT for kind in kinds)


def probe_difference(network: Network) -> float:
    """Computes two suffixes behind one prefix packed and apart: mean difference in log-probability against its spread.

    A model that ignores the mask or the positions it is given shows here, whatever its architecture.
    """
    generator = np.random.default_rng(0)
    ids = generator.integers(0, network.vocabulary, PREFIX + 2 * SUFFIX)
    prefix, first, second = ids[:PREFIX], ids[PREFIX : PREFIX + SUFFIX], ids[PREFIX + SUFFIX :]
    apart = torch.cat([_apart(network, np.concatenate([prefix, suffix])) for suffix in (first, second)])
    cache = network.cache()
    network.forward(prefix[:-2], cache)
    network.forward(prefix[-2:], cache)
    causal = torch.ones((SUFFIX, SUFFIX), dtype=torch.bool).tril()
    mask = torch.cat([torch.cat([causal, causal ^ causal], 1), torch.cat([causal ^ causal, causal], 1)])
    positions = np.tile(np.arange(PREFIX, PREFIX + SUFFIX), 2)
    suffixes = np.concatenate([first, second])
    rows = network.forward(suffixes, cache, positions=positions, mask=mask, prefix=PREFIX, want=slice(None))
    return float((_logprobs(network, rows) - apart).abs().mean() / apart.std(dim=-1).mean())


def _apart(network: Network, ids: np.ndarray[Any, np.dtype[np.int64]]) -> Tensor:
    return _logprobs(network, network.forward(ids, None, want=slice(PREFIX, None)))


def _logprobs(network: Network, rows: Tensor) -> Tensor:
    return network.logits(rows).log_softmax(dim=-1)


def packs_correctly(network: Network) -> bool:
    """Whether packed and separate passes agree on a probe."""
    try:
        with torch.inference_mode():
            difference = probe_difference(network)
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False
    return difference <= TOLERANCE.get(network.dtype, max(TOLERANCE.values()))
