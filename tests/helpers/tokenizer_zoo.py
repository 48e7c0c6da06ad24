# ruff: noqa: RUF001, S106 - letters of other scripts are meant, and tokens are no passwords
"""Small tokenizers of every family that models use, with the pre-tokenizers and normalizers of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from evalsuite.tokenizers import HFTokenizer

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
LOWER, UPPER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}", r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = (
    rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+{ENDING}|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*{ENDING}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = (
    r"\p{N}{1,3}",
    "[一-龥\u3040-ゟ゠-ヿ]+",
    (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
)
BEHIND = r"(?<=\s)\p{L}+|\s+|[^\s]"
"""Looks back: nothing is proven of it."""
CORPUS = [
    "The miller's daughter don't walk to the river every morning, 1234 times, and nobody asked her why. ",
    "  Spaces  and\n\n   lines \r\n here; it's HER's. née Zoë was 12 years old\t in 1905.\n",
    "Король спросил мельника, а мельник молчал. 왕이 물었다 그리고 아무도 대답하지 않았다. ",
    "国王问磨坊主，他为什么沉默。磨坊主没有回答、也没有走开，国王问磨坊主。\n",
    "they're you're don're don're x\n   \ny x\n   \ny x\n   \n   \ny a\n   \nb HER'S  \n  \n",
    "ab cd ef the the of of and and a b c d ▁ ▁▁ </s> <s> 🙂 e\u0301 ",
] * 3


def _bpe(splits: Any, normalizer: Any = None, size: int = 520, **model: Any) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(**model))
    if normalizer is not None:
        made.normalizer = normalizer
    if splits is not None:
        made.pre_tokenizer = splits
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    fallback = [f"<0x{byte:02X}>" for byte in range(256)] if model.get("byte_fallback") else []
    marked = "unk_token" in model
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(fallback),
        initial_alphabet=[] if marked else alphabet,
        limit_alphabet=90 if marked else 256,
        special_tokens=["<unk>", "<s>", "</s>", *fallback],
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    return made


def _split(*patterns: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    steps = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _marked(*, prefix: bool, first: bool = False) -> Any:
    """A BPE over whole texts whose spaces are marked: Llama 2's with the mark in front, Gemma's without."""
    import json

    from tokenizers import Tokenizer, normalizers, pre_tokenizers

    trained = _bpe(
        pre_tokenizers.Metaspace(prepend_scheme="never"), unk_token="<unk>", fuse_unk=True, byte_fallback=not prefix
    )
    steps = [normalizers.Prepend("▁")] if prefix else []
    trained.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    saved = json.loads(trained.to_str())
    saved["pre_tokenizer"] = None
    if not prefix:
        saved["normalizer"] = saved["normalizer"]["normalizers"][0]
        saved["pre_tokenizer"] = {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        }
    if first:
        saved["normalizer"] = None
        step = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
        saved["pre_tokenizer"] = step
    return Tokenizer.from_str(json.dumps(saved))


def _unigram(splits: Any, normalizer: Any = None) -> Any:
    from tokenizers import Tokenizer, models, trainers

    made = Tokenizer(models.Unigram())
    if normalizer is not None:
        made.normalizer = normalizer
    made.pre_tokenizer = splits
    trainer = trainers.UnigramTrainer(vocab_size=220, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    made.train_from_iterator(CORPUS, trainer)
    return made


def _wordpiece() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]"]))
    return made


def _words() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(CORPUS, trainers.WordLevelTrainer(vocab_size=80, special_tokens=["[UNK]"]))
    return made


def _added(backend: Any, *contents: str, **flags: bool) -> Any:
    from tokenizers import AddedToken

    backend.add_tokens([AddedToken(content, **flags) for content in contents])
    return backend


def _makers() -> dict[str, Callable[[], Any]]:
    from tokenizers import Regex, normalizers, pre_tokenizers

    metaspace = pre_tokenizers.Metaspace
    byte_level = pre_tokenizers.ByteLevel
    sequence = pre_tokenizers.Sequence
    return {
        "gpt2": lambda: _bpe(byte_level(add_prefix_space=False)),
        "gpt2-prefix": lambda: _bpe(byte_level(add_prefix_space=True)),
        "llama3": lambda: _bpe(_split(LLAMA3), ignore_merges=True),
        "qwen2": lambda: _added(_bpe(_split(QWEN2), normalizers.NFC()), "<think>", "</think>"),
        "o200k": lambda: _bpe(_split(O200K)),
        "deepseek": lambda: _bpe(_split(*DEEPSEEK)),
        "starcoder": lambda: _bpe(
            sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(add_prefix_space=False)])
        ),
        "spaces-added": lambda: _added(_bpe(byte_level(add_prefix_space=False)), "  ", "    ", "\n\n"),
        "llama2": lambda: _marked(prefix=True),
        "gemma": lambda: _marked(prefix=False),
        "llama2-first": lambda: _marked(prefix=False, first=True),
        "t5": lambda: _unigram(
            metaspace(), normalizers.Sequence([normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "▁")])
        ),
        "xlm": lambda: _unigram(sequence([pre_tokenizers.WhitespaceSplit(), metaspace()])),
        "bert": _wordpiece,
        "words": _words,
        # nothing is proven of these
        "looks-behind": lambda: _bpe(_split(BEHIND)),
        "added-phrase": lambda: _added(_bpe(byte_level(add_prefix_space=False)), "the king"),
        "added-greedy": lambda: _added(_bpe(byte_level(add_prefix_space=False)), "king", rstrip=True, lstrip=True),
        "unsplit-unigram": lambda: _unigram(metaspace(split=False)),
        "merged-spaces": lambda: _bpe(metaspace(prepend_scheme="first", split=False), unk_token="<unk>"),
        "unsplit-bytes": lambda: _bpe(byte_level(add_prefix_space=False, use_regex=False)),
    }


UNPROVEN = ("looks-behind", "added-greedy", "unsplit-unigram", "unsplit-bytes", "merged-spaces")
PROVEN = (
    *("gpt2", "gpt2-prefix", "llama3", "qwen2", "o200k", "deepseek", "starcoder", "spaces-added"),
    *("llama2", "llama2-first", "gemma", "t5", "xlm", "bert", "words"),
)
CHINESE_ONLY = ("added-phrase",)
"""Proven between Chinese characters and commas, not between words."""
NAMES = (*PROVEN, *CHINESE_ONLY, *UNPROVEN)


@cache
def zoo(name: str) -> HFTokenizer:
    """One of them, trained on the spot."""
    from transformers import PreTrainedTokenizerFast

    backend = _makers()[name]()
    special = {"bos_token": "<s>"} if backend.token_to_id("<s>") is not None else {}
    return HFTokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, **special), name=name, digest=name)
