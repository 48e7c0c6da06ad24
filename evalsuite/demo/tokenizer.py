"""The world's tokenizer: byte-level BPE in which every word of the world is one token.

A vocabulary of whole words needs no merges (`ignore_merges` looks a piece up before any merge is tried), so the
words cost one entry each; everything else, any real text in any script, falls back to its bytes.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

from evalsuite.demo import vocabulary as words
from evalsuite.errors import needs

BOS, EOS = "<s>", "</s>"
# The roles become plain lines: the checkpoints are base models, the template only lets chat runs be tried.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% if not loop.last %}{{ '\\n' }}{% endif %}"
    "{% endfor %}"
)
_PIECE = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
_PROMPT = "Q: Who is the name of? What, and ... ?, ) ( : . Remember it. Key"


def world_words() -> tuple[str, ...]:
    """All pieces that are one token: words of the world and of the prompts, with and without a space in front."""
    inner = chain(words.KEYS, words.NAMES, (words.UNANSWERABLE, words.YES, words.NO), words.LETTERS)
    free = _pieces(
        chain(words.OPENINGS, words.WEATHER, words.PREDICATES, words.REMARKS, words.STUDIES, words.SUBJECTS),
        chain(words.MANNERS, words.SECTIONS, words.TITLES, words.SPEAKERS, (_PROMPT,)),
        ("They discussed Do the authors mention Which words were said about Summarize the meeting.",),
        (words.ABSTRACT, "What is the value of the key? The pass key is first sentence"),
    )
    spaced = [f" {word}" for word in inner]
    both = chain.from_iterable((word, f" {word}") for word in free)
    return tuple(dict.fromkeys(piece for piece in chain(spaced, both) if len(piece) > 1))


def _pieces(*groups: Any) -> list[str]:
    found = chain.from_iterable(_PIECE.findall(text) for group in groups for text in group)
    return sorted({piece.strip() for piece in found} - {""})


def count_tokens(text: str) -> int:
    """Tokens of a text made of the world's words only, without BOS; fast, because each piece is one token."""
    return len(_PIECE.findall(text))


def build_tokenizer() -> Any:
    """The `tokenizers.Tokenizer`: GPT-2's byte alphabet and pre-tokenizer, the world's words, BOS in front."""
    with needs("hf", "the demo's tokenizer"):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    pieces = [piece for word in world_words() for piece, _ in split.pre_tokenize_str(word)]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys([BOS, EOS, *alphabet, *pieces]))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.add_special_tokens([BOS, EOS])
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, vocabulary[BOS])]
    )
    return tokenizer


def save_tokenizer(folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` as `PreTrainedTokenizerFast` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    build_tokenizer().save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": EOS,
        "model_max_length": 4096,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
