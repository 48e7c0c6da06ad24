"""Keys and values held once: a cache in place, without the copy a growing tensor costs at every step."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin


class BufferLayer(CacheLayerMixin):  # type: ignore[misc]  # the library ships no types
    """One layer's keys and values in a buffer that is written in place and read up to its length."""

    is_sliding = False
    is_croppable = True

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.length = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Makes the buffers once shapes, type and device are known."""
        self.dtype, self.device = key_states.dtype, key_states.device
        self.keys, self.values = self._buffer(key_states), self._buffer(value_states)
        self.is_initialized = True

    def _buffer(self, states: Tensor) -> Tensor:
        batch, heads, _, width = states.shape
        return states.new_empty((batch, heads, self.room, width))

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Writes new states behind the held ones and returns all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[-2]
        if end > self.room:
            self.grow(end)
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def grow(self, room: int) -> None:
        """Makes room for more tokens, keeping those held."""
        self.room = max(room, self.room)
        if self.is_initialized and self.keys.shape[-2] < self.room:
            # One tensor after the other, so that only one is ever there twice.
            for name in ("keys", "values"):
                old = getattr(self, name)
                new = self._buffer(old)
                new[:, :, : self.length] = old[:, :, : self.length]
                setattr(self, name, new)

    def crop(self, tokens_to_remove: int) -> None:
        """Forgets the last tokens (a count, its sign ignored); the buffer stays."""
        self.length -= abs(tokens_to_remove)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Keys the next pass sees, and the first one's position."""
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens held."""
        return self.length

    def get_max_length(self) -> int:
        """No limit of its own."""
        return -1


class BufferCache(Cache):  # type: ignore[misc]  # same
    """A cache of buffers, one row: the prefix of a document, what is packed behind it, and what is generated."""

    def __init__(self, layers: int) -> None:
        super().__init__(layers=[BufferLayer(0) for _ in range(layers)])

    @property
    def length(self) -> int:
        """Tokens held."""
        return int(self.layers[0].length)

    def reserve(self, tokens: int) -> None:
        """Makes room for that many tokens in all; smaller buffers that suffice are kept."""
        for layer in self.layers:
            layer.grow(tokens)

    def keep(self, tokens: int) -> None:
        """Forgets everything behind the first ``tokens``."""
        for layer in self.layers:
            layer.length = min(layer.length, tokens)

    def release(self) -> None:
        """Frees the buffers."""
        for layer in self.layers:
            layer.keys = layer.values = None
            layer.is_initialized, layer.length, layer.room = False, 0, 0

    @property
    def bytes_a_token(self) -> int:
        """Bytes of keys and values of one token over all layers; 0 before anything was held."""
        return sum(_width(layer.keys) + _width(layer.values) for layer in self.layers if layer.is_initialized)


def _width(buffer: Tensor) -> int:
    return buffer.shape[0] * buffer.shape[1] * buffer.shape[3] * buffer.element_size()
