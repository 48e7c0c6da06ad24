"""transformers' fast tokenizers, without hidden BOS, cuts or clean-up."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import UsageError, needs
from evalsuite.interfaces import Encoding
from evalsuite.tokenizers.chat_template import ChatTemplate
from evalsuite.tokenizers.files import (
    TOKENIZER_PATTERNS,
    folder_digest,
    model_folder,
    one_line,
    read_object,
    tokenizer_files,
)
from evalsuite.tokenizers.joined import Joined, JoinedEncoder, Stretch

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

TOKENIZERS = ("openai", "a tokenizer")
"""The smallest extra that brings the packages of tokenizers, and what needs them."""
HUGE = 10**9
"""transformers writes such numbers for "no limit known"."""


class HFTokenizer:
    """A fast tokenizer of transformers under the ``Tokenizer`` protocol.

    It never cuts or pads. BOS and EOS are added only if asked for. A SentencePiece tokenizer that adds a space before a
    text does so here, too; its offsets still refer to the text as given.
    """

    def __init__(self, pretrained: Any, *, name: str, digest: str) -> None:
        self.name = name
        self.hash = digest
        """SHA-256 over the tokenizer's files."""
        self._pretrained = pretrained
        self._backend: Backend = pretrained.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()

    @cached_property
    def _literal(self) -> Backend:
        # A copy, not a switch flipped around each call: texts are encoded on another thread while the model works.
        with needs(*TOKENIZERS):
            from tokenizers import Tokenizer as Backend

        copy = Backend.from_str(self._backend.to_str())
        copy.encode_special_tokens = True
        # No frame is wanted here, and byte-level post-processors trim the leading space out of the offsets.
        copy.post_processor = None
        return copy

    @cached_property
    def bos_id(self) -> int | None:
        """The id that the tokenizer puts before a text; None if it adds none.

        Some tokenizers define a BOS token but never add it (GPT-2, Qwen). This gives None.
        """
        framed = self._backend.encode("a", add_special_tokens=True).ids
        plain = self._backend.encode("a", add_special_tokens=False).ids
        front = len(framed) - len(plain)
        if front and framed[0] in self.special_ids and framed[:1] != plain[:1]:
            return int(framed[0])
        wanted = getattr(self._pretrained, "add_bos_token", False) or self._pretrained.init_kwargs.get("add_bos_token")
        return self._pretrained.bos_token_id if wanted else None

    @cached_property
    def eos_ids(self) -> frozenset[int]:
        """The tokenizer's own end token; an engine adds those of its generation config."""
        eos = self._pretrained.eos_token_id
        return frozenset() if eos is None else frozenset({int(eos)})

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of all special tokens."""
        added = self._backend.get_added_tokens_decoder()
        return frozenset(id_ for id_, token in added.items() if token.special)

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, added tokens included."""
        return int(self._backend.get_vocab_size(with_added_tokens=True))

    @property
    def model_max_length(self) -> int | None:
        """The length its files speak of, None where they speak of none. It bounds nothing: a model's config does."""
        length = self._pretrained.model_max_length
        if length is not None and not isinstance(length, int | float):
            raise UsageError(f"{self.name}: tokenizer_config.json: model_max_length must be a number")
        return None if length is None or length >= HUGE else int(length)

    def warn_if_shorter(self, max_model_len: int | None) -> None:
        """Warns when the tokenizer's files speak of fewer tokens than the model's config."""
        said = self.model_max_length
        if said is not None and max_model_len is not None and said < max_model_len:
            warnings.warn(
                f"{self.name}: tokenizer files say model_max_length={said}, below the model's {max_model_len}; "
                "the model's counts",
                stacklevel=2,
            )

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """Ids as the official scripts get them: special strings in the text are read as special tokens.

        Args:
            text: any text.
            special_tokens: also add the tokenizer's own BOS/EOS frame.
        """
        return list(self._backend.encode(text, add_special_tokens=special_tokens).ids)

    def encode_literal(self, text: str) -> Encoding:
        """Ids and offsets (code points of the text) without a frame; a special token's spelling stays text.

        Tokens that are parts of one character all carry that character's offsets.
        """
        encoding = self._literal.encode(text, add_special_tokens=False)
        return Encoding(tuple(encoding.ids), tuple(encoding.offsets))

    @cached_property
    def joined(self) -> JoinedEncoder:
        """Encodes texts made of others, each long one once."""
        return JoinedEncoder(self._literal)

    def encode_joined(self, texts: Sequence[str]) -> Joined:
        """The tokens of ``encode_literal("".join(texts))``, reading only what was not read before."""
        return self.joined.encode([Stretch(text, 0, len(text)) for text in texts])

    def encode_template(self, text: str) -> list[int]:
        """Ids of a chat template's own text, where special strings are special tokens, without a frame."""
        return self.encode(text)

    def encode_chat(self, rendered: str, literal: Sequence[tuple[int, int]]) -> Encoding:
        """Ids of a whole rendered chat: the template's special strings are special tokens, a user's are text.

        Args:
            rendered: the template's text with the messages in place.
            literal: stretches (code points, end exclusive) that users wrote.

        Returns:
            The ids that encoding the rendered text at once gives, unless a user's stretch spells a special token:
            then the text between the template's own special tokens is encoded literally.
        """
        whole = self._backend.encode(rendered, add_special_tokens=False)
        ids, offsets = list(whole.ids), list(whole.offsets)
        special = [(id_, at) for id_, at in zip(ids, offsets, strict=True) if id_ in self.special_ids]
        own = [(id_, at) for id_, at in special if not any(s < at[1] and at[0] < e for s, e in literal)]
        if len(own) == len(special):
            return Encoding(tuple(ids), tuple(offsets))
        return self._between(rendered, own)

    def _between(self, text: str, special: Sequence[tuple[int, tuple[int, int]]]) -> Encoding:
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        position = 0
        for id_, (start, end) in [*special, (None, (len(text), len(text)))]:
            piece = self.encode_literal(text[position:start])
            ids += piece.ids
            offsets += [(a + position, b + position) for a, b in piece.offsets]
            if id_ is not None:
                ids.append(id_)
                offsets.append((start, end))
            position = end
        return Encoding(tuple(ids), tuple(offsets))

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of ``encode(text)``, as transformers reports them."""
        return list(self._backend.encode(text, add_special_tokens=False).offsets)

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of ids, without cleaning up spaces."""
        return str(self._backend.decode(list(ids), skip_special_tokens=skip_special_tokens))

    @property
    def _template(self) -> ChatTemplate | None:
        return ChatTemplate(self._pretrained, self.name) if self._pretrained.chat_template else None

    def chat_template(self, messages: Sequence[Mapping[str, str]], *, date: str | None = None) -> str | None:
        """The chat as text, ready for the model's turn; None where the tokenizer has no chat template.

        Args:
            messages: ``{"role": ..., "content": ...}`` each.
            date: ``YYYY-MM-DD``, the date a template that prints one prints; None for the template's own fallback,
                else a constant; never today's.

        Raises:
            UsageError: the template refuses the messages, for example a system role it does not know, or fails.
        """
        template = self._template
        return None if template is None else template.render(messages, date)

    def template_date(self, date: str | None) -> str | None:
        """What a chat shows as its date, for the record; None where the template reads none."""
        template = self._template
        return None if template is None else template.date(date)


def load_tokenizer(path_or_id: str, *, revision: str | None = None, trust_remote_code: bool = False) -> HFTokenizer:
    """Loads a model's fast tokenizer.

    Args:
        path_or_id: a folder, or a Hugging Face model id.
        revision: commit, tag or branch on the hub.
        trust_remote_code: run the tokenizer's own Python code; only where the user asked for this model.

    Raises:
        UsageError: no such model, no tokenizer files, or only a slow tokenizer that cannot be converted.
    """
    folder = model_folder(path_or_id, TOKENIZER_PATTERNS, revision=revision)
    files = tokenizer_files(folder)
    if not files:
        raise UsageError(f"{path_or_id}: no tokenizer files; save one beside the weights (tokenizer.json)")
    pretrained = _load(folder, path_or_id, trust_remote_code=trust_remote_code)
    if not getattr(pretrained, "is_fast", False) or not hasattr(pretrained, "backend_tokenizer"):
        raise UsageError(f"{path_or_id}: only a slow tokenizer; {_FIX}")
    tokenizer = HFTokenizer(pretrained, name=Path(path_or_id).name, digest=folder_digest(folder, files))
    _check_usable(tokenizer, path_or_id)
    return tokenizer


def _check_usable(tokenizer: HFTokenizer, name: str) -> None:
    """Uses each function once, so that an error in its files is found now."""
    try:
        ids = tokenizer.encode_literal("a").ids
        _ = tokenizer.decode(ids), tokenizer.bos_id, tokenizer.eos_ids, tokenizer.model_max_length
    except UsageError:
        raise
    except Exception as error:  # whatever the broken file makes the library raise
        raise UsageError(f"{name}: tokenizer files cannot be used ({one_line(error)}); save them again") from error
    if not ids:
        raise UsageError(f"{name}: the tokenizer gives no tokens for a letter; save its files again")


_FIX = (
    "convert it once: `pip install sentencepiece tiktoken protobuf`, then "
    "AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes tokenizer.json"
)


def _load(folder: Path, name: str, *, trust_remote_code: bool) -> Any:
    with needs(*TOKENIZERS):
        from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except Exception as error:  # the library raises whatever the broken file made it raise
        _check_config(folder, name, trust_remote_code=trust_remote_code)
        if (folder / "tokenizer.json").exists():
            reason = one_line(error)
            raise UsageError(f"{name}: tokenizer files cannot be read ({reason}); save them again") from error
        raise UsageError(f"{name}: no fast tokenizer (tokenizer.json); {_FIX}") from error


def _check_config(folder: Path, name: str, *, trust_remote_code: bool) -> None:
    """Says that the model's config is what is broken: the library reads it to choose a tokenizer's class."""
    with needs(*TOKENIZERS):
        from transformers import AutoConfig

    if not (folder / "config.json").is_file():
        return
    read_object(folder / "config.json")
    try:
        AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    except Exception as error:
        raise UsageError(f"{name}: config.json cannot be loaded: {one_line(error)}") from error
