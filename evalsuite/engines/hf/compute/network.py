"""A causal language model as two functions: ids to hidden states, hidden states to logits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evalsuite.engines.hf.compute.counts import Counters
from evalsuite.engines.hf.compute.memory import LOGIT_BYTES
from evalsuite.engines.hf.prefix.cache import BufferCache
from evalsuite.engines.hf.prefix.cascade import Split, splitting
from evalsuite.engines.hf.prefix.tree import Ids

PROBE = 24


def attention_of(config: Any) -> str:
    """The attention kernel a model was loaded with: sdpa, eager, flash_attention_2..."""
    # The library offers no public name for what it chose.
    return str(config._attn_implementation)  # noqa: SLF001  # see above


class Network:
    """The model behind packed and chunked passes, and the counters of what went through it.

    Where the output layer is a plain function of the hidden states (proven on a probe when loading), hidden states are
    kept and only wanted rows become logits, a chunk at a time; elsewhere ``logits_to_keep`` asks for the rows.
    """

    def __init__(self, model: Any, counters: Counters) -> None:
        self.model = model
        self.counters = counters
        self.config = model.config.get_text_config(decoder=True)
        self.device = model.get_input_embeddings().weight.device
        self.additive_mask = attention_of(model.config) == "eager"
        self.dtype = model.dtype
        self.vocabulary = int(self.config.vocab_size)
        self.cascades = False
        """Whether attention goes in two parts (see ``cascade``), so that no mask is as wide as the document."""
        self.head = self._separable_head()

    @property
    def logit_rows(self) -> int:
        """Rows of logits that may be made at once."""
        return max(1, LOGIT_BYTES[self.device.type == "cuda"] // (4 * self.vocabulary))

    def cache(self) -> BufferCache:
        """An empty cache of this model's layers."""
        return BufferCache(int(self.config.num_hidden_layers))

    def _separable_head(self) -> Any:
        layer = self.model.get_output_embeddings()
        cap = getattr(self.config, "final_logit_softcapping", None)
        head = layer if layer is None or not cap else lambda rows: torch.tanh(layer(rows) / cap) * cap
        body = getattr(self.model, self.model.base_model_prefix, None)
        if head is None or body is None or body is self.model:
            return None
        ids = torch.arange(PROBE, device=self.device)[None] % self.vocabulary
        try:
            with torch.inference_mode():
                whole = self.model(input_ids=ids, use_cache=False).logits
                apart = head(body(input_ids=ids, use_cache=False).last_hidden_state)
        except (AttributeError, IndexError, TypeError, RuntimeError, ValueError):
            return None
        # With several GPUs the model's own outputs are moved back to the first, its parts' are not.
        return head if whole.shape == apart.shape and torch.equal(whole, apart.to(whole.device)) else None

    def forward(
        self,
        ids: Ids | Sequence[int],
        cache: BufferCache | None,
        *,
        positions: npt.NDArray[np.int64] | None = None,
        mask: Tensor | None = None,
        prefix: int = 0,
        want: Sequence[int] | slice = (),
        decoding: bool = False,
    ) -> Tensor:
        """One pass over ids behind what the cache holds.

        Args:
            ids: shape ``[tokens]``.
            cache: held keys and values, extended by this pass; None for a pass that keeps none.
            positions: each id's position; None continues the cache's.
            mask: boolean, true where a token sees a key, ``[tokens, held + tokens - prefix]``; None is causal.
            prefix: leading keys that all tokens see, which the mask leaves out.
            want: rows to return.
            decoding: whether the ids were generated; they are counted apart.

        Returns:
            Rows for ``logits``: hidden states ``[rows, width]``, or already logits ``[rows, vocabulary]``.
        """
        held = 0 if cache is None else cache.length
        if positions is None:
            positions = np.arange(held, held + len(ids))
        self._tally(len(ids), cache, decoding=decoding)
        rows = self._rows(want, len(ids))
        extra: dict[str, Any] = {}
        split: AbstractContextManager[None] = nullcontext()
        if self.cascades and cache is not None and (held or mask is not None):
            split = splitting(Split(held, None) if mask is None else Split(prefix, self._additive(mask)))
            # Whatever is four-dimensional is taken as it is; the split's own mask is the one that counts.
            extra = {"attention_mask": torch.ones((1, 1, 1, 1), dtype=torch.bool, device=self.device)}
        elif mask is not None:
            extra = {"attention_mask": self._mask(mask, prefix)}
        inputs = {
            "input_ids": torch.as_tensor(np.asarray(ids, dtype=np.int64), device=self.device)[None],
            "position_ids": torch.as_tensor(positions, device=self.device)[None],
            "past_key_values": cache,
            "use_cache": cache is not None,
            **extra,
        }
        with split:
            return self._read(inputs, rows)

    def _read(self, inputs: dict[str, Any], rows: Tensor) -> Tensor:
        if self.head is None:
            # A number, not the rows: with several GPUs hidden states lie on another than the rows.
            tokens = inputs["input_ids"].shape[1]
            first = int(rows.min()) if len(rows) else tokens - 1
            logits = self.model(**inputs, logits_to_keep=tokens - first).logits[0]
            return cast("Tensor", logits[(rows - first).to(logits.device)])
        hidden = getattr(self.model, self.model.base_model_prefix)(**inputs).last_hidden_state[0]
        return cast("Tensor", hidden[rows.to(hidden.device)])

    def logits(self, rows: Tensor) -> Tensor:
        """Float32 logits of rows that ``forward`` returned; at most ``logit_rows`` of them at once, by the caller."""
        return (rows if self.head is None else self.head(rows)).float()

    def _rows(self, want: Sequence[int] | slice, tokens: int) -> Tensor:
        if isinstance(want, slice):
            return torch.arange(tokens, device=self.device)[want]
        return torch.as_tensor(want, dtype=torch.long, device=self.device)

    def _mask(self, mask: Tensor, prefix: int) -> Tensor:
        seen = torch.ones((len(mask), prefix), dtype=torch.bool, device=mask.device)
        whole = torch.cat([seen, mask], dim=1)
        return self._additive(whole) if self.additive_mask else whole.to(self.device)[None, None]

    def _additive(self, mask: Tensor) -> Tensor:
        shape = (1, 1, *mask.shape)
        hidden = ~mask.to(self.device)[None, None]
        return torch.zeros(shape, dtype=self.dtype, device=self.device).masked_fill_(
            hidden, torch.finfo(self.dtype).min
        )

    def _tally(self, tokens: int, cache: BufferCache | None, *, decoding: bool) -> None:
        self.counters.passes += 1
        if decoding:
            self.counters.decoded_tokens += tokens
        else:
            self.counters.prompt_tokens += tokens
        if cache is not None:
            held = cache.length + tokens
            if held > self.counters.kv_tokens:
                self.counters.kv_tokens = held
                self.counters.kv_bytes = held * cache.bytes_a_token
