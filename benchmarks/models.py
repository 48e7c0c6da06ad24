"""Models made on the spot: random weights do the same work as trained ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

VOCABULARY = 8000
SPREAD = 0.08
"""Wide weights make a random model's choices clear, so that equality means something."""

BODY = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
}
"""Four million weights in the body, two in the head: skipping the head flatters nobody."""

WIDE = {
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
}
"""For memory: a body of a few hundred megabytes would only hide what the logits take."""


def make_model(folder: Path, texts: Iterable[str], *, sizes: dict[str, int], vocabulary: int, dtype: str) -> Path:
    """Saves a random Llama and a byte-level BPE trained on the texts.

    Args:
        folder: where to.
        texts: what the tokenizer is trained on (its vocabulary is padded up to the model's).
        sizes: of the body.
        vocabulary: rows of the output layer.
        dtype: of the saved weights.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    save_tokenizer(folder, texts, min(vocabulary, VOCABULARY))
    torch.manual_seed(0)
    extra: dict[str, Any] = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": None}
    config = LlamaConfig(
        vocab_size=vocabulary, max_position_embeddings=1 << 16, initializer_range=SPREAD, **sizes, **extra
    )
    LlamaForCausalLM(config).to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def save_tokenizer(folder: Path, texts: Iterable[str], size: int) -> None:
    """A byte-level BPE as GPT-2's, trained on the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=["<|end|>"], show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>").save_pretrained(folder)  # noqa: S106  # a token
