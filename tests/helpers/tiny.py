"""A tiny random Llama and its byte-level tokenizer, made on the spot: any text has ids and comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SPECIAL = ("<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>")
CORPUS = ["The king asked who wrote it. Q: What did she say, A: She said nothing at all.\n\n"] * 8
CHAT = (
    "{{ '<s>' }}{% for m in messages %}<|user|>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""Writes the BOS itself, as most templates do."""


def save_tokenizer(folder: Path, *, chat: bool = True) -> Path:
    """Writes tokenizer files into a folder and gives it back."""
    from transformers import PreTrainedTokenizerFast

    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    saved = PreTrainedTokenizerFast(tokenizer_object=_backend(), **names)
    if chat:
        saved.chat_template = CHAT
    saved.save_pretrained(folder)
    return folder


def save_model(folder: Path, *, positions: int = 4096, seed: int = 0) -> Path:
    """Writes a checkpoint (safetensors, config, tokenizer) into a folder and gives it back."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    save_tokenizer(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        initializer_range=0.1,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def _backend() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(SPECIAL),
        show_progress=False,
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return backend
