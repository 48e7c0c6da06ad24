"""Hugging Face's fast tokenizers, loaded by path or hub id."""

from evalsuite.tokenizers.files import tokenizer_files
from evalsuite.tokenizers.huggingface import HFTokenizer, load_tokenizer
from evalsuite.tokenizers.whole import WholeText

__all__ = ["HFTokenizer", "WholeText", "load_tokenizer", "tokenizer_files"]
