"""``hf:NAME[,key=value...]`` to an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
import transformers

from evalsuite.engines.hf.checkpoint.config import loading_errors, model_length
from evalsuite.engines.hf.checkpoint.loading import Loaded, caps_attention, check_model, load_model
from evalsuite.engines.hf.checkpoint.support import (
    gives_finite_logits,
    learned_positions,
    obstacles,
    packs_correctly,
    pads_safely,
)
from evalsuite.engines.hf.checkpoint.weights import fetch_model, model_hash, revision_of, weight_files
from evalsuite.engines.hf.compute.counts import Counters
from evalsuite.engines.hf.compute.memory import find_budget, size_of
from evalsuite.engines.hf.compute.network import Network, attention_of
from evalsuite.engines.hf.compute.plain import Plain
from evalsuite.engines.hf.engine import HFEngine
from evalsuite.engines.hf.options import HFOptions, parse_options
from evalsuite.engines.hf.prefix.cascade import use_cascade
from evalsuite.engines.hf.prefix.packed import Packer
from evalsuite.engines.hf.prefix.plan import Costs
from evalsuite.errors import UsageError
from evalsuite.records import EngineInfo, ModelIdentity
from evalsuite.tokenizers import HFTokenizer, load_tokenizer


def load(name: str, options: Mapping[str, str], *, max_model_len: int | None = None) -> HFEngine:
    """Loads a model of transformers' format.

    Args:
        name: a folder, or a Hugging Face model id.
        options: see ``HFOptions``.
        max_model_len: overrides what the config says, and is recorded.

    Raises:
        UsageError: the model, its weights or its tokenizer cannot be had, or an option is wrong.
    """
    asked = parse_options(options)
    folder = fetch_model(name, asked.revision, code=asked.trust_remote_code)
    weight_files(folder, name)
    checked = check_model(folder, name, asked)
    tokenizer = load_tokenizer(str(folder), trust_remote_code=asked.trust_remote_code)
    loaded = load_model(folder, name, asked, checked)
    info = _info(name, folder, asked, loaded, tokenizer)
    if max_model_len is not None:
        if learned_positions(loaded.model) and max_model_len > (info.max_model_len or max_model_len):
            raise UsageError(
                f"{name}: its positions are learned, {info.max_model_len} of them: no more can be asked for"
            )
        info = replace(info, max_model_len=max_model_len, max_model_len_source="option")
    tokenizer.warn_if_shorter(info.max_model_len)
    info = replace(info, notes=(*loaded.notes, *_tokenizer_notes(tokenizer, loaded)))
    with loading_errors(name):
        if not gives_finite_logits(loaded.model, info.max_model_len):
            # Over less than 16 keys torch's other kernels on a CPU turn a row of NaN into zeros.
            loaded.model.set_attn_implementation("eager")
            info = replace(info, notes=(*info.notes, _NOT_FINITE))
        return _assemble(info, tokenizer, loaded, asked)


_NOT_FINITE = "some of the model's logits are NaN or infinite: the requests that meet them fail"


def _tokenizer_notes(tokenizer: HFTokenizer, loaded: Loaded) -> tuple[str, ...]:
    known = int(loaded.model.get_input_embeddings().weight.shape[0])
    beyond = tokenizer.vocabulary_size - known
    if beyond <= 0:
        return ()
    return (f"the tokenizer has {beyond} tokens more than the {known} the model knows: a prompt that holds one fails",)


def _info(name: str, folder: Path, asked: HFOptions, loaded: Loaded, tokenizer: HFTokenizer) -> EngineInfo:
    options = {"dtype": str(loaded.dtype).removeprefix("torch.")}
    if asked.trust_remote_code:
        options["trust_remote_code"] = "yes"
    identity = ModelIdentity(
        name=Path(name).name if Path(name).expanduser().is_dir() else name,
        hash=model_hash(folder, options),
        revision=revision_of(folder, name),
        options=options,
    )
    return EngineInfo(
        scheme="hf",
        version=f"transformers {transformers.__version__}, torch {torch.__version__}",
        model=identity,
        max_model_len=model_length(loaded.config),
        tokenizer=tokenizer.hash,
    )


def _assemble(info: EngineInfo, tokenizer: HFTokenizer, loaded: Loaded, asked: HFOptions) -> HFEngine:
    counters = Counters()
    ends = tokenizer.eos_ids | loaded.end_ids
    padding = pads_safely(loaded.model)
    plain = Plain(loaded.model, tokenizer, ends, counters, padding=padding, positions=info.max_model_len)
    packer, notes = None, list(obstacles(loaded.model))
    if not notes:
        network = packing_network(loaded, counters)
        if network is None:
            notes.append("packed and separate passes differ on a probe")
        else:
            packer = Packer(network, tokenizer, ends)
    if not asked.share:
        packer, notes = None, []
    if notes:
        told = f"no shared prefixes, every request is computed by itself: {'; '.join(notes)}"
        info = replace(info, notes=(*info.notes, told))
    if caps_attention(loaded.model.config) and not asked.attn:
        info = replace(info, notes=(*info.notes, "eager attention: the faster kernels leave out this model's soft cap"))
    budget = find_budget(loaded.config, loaded.device, loaded.dtype.itemsize, most=asked.batch_tokens)
    # The probes are no part of any run.
    counters.reset()
    return HFEngine(info, tokenizer, plain, packer, budget, model_costs(loaded))


def packing_network(loaded: Loaded, counters: Counters) -> Network | None:
    """The model ready to pack, with split attention where that works; None where packed passes come out wrong."""
    network = Network(loaded.model, counters)
    if loaded.device.type == "cpu" and attention_of(loaded.model.config) == "sdpa":
        use_cascade(loaded.model)
        network.cascades = True
        if packs_correctly(network):
            return network
        loaded.model.set_attn_implementation("sdpa")
        network.cascades = False
    return network if packs_correctly(network) else None


def model_costs(loaded: Loaded) -> Costs:
    """What a pass costs: attention of one query to one key against a token's way through the weights.

    A token costs two operations a weight; a pair costs four a head dimension, head and layer.
    """
    config = loaded.config
    layers, heads = int(config.num_hidden_layers), size_of(config, "num_attention_heads", 16)
    width = size_of(config, "head_dim", config.hidden_size // heads)
    ends = (loaded.model.get_input_embeddings(), loaded.model.get_output_embeddings())
    apart = {id(layer.weight): layer.weight.numel() for layer in ends if layer is not None}
    body = max(1, sum(parameter.numel() for parameter in loaded.model.parameters()) - sum(apart.values()))
    floor = 64 if loaded.device.type == "cpu" else 512
    return Costs(pair=2 * layers * heads * width / body, floor=floor)
