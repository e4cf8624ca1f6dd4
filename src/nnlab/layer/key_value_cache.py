"""Keys and values of the tokens already read, so that the next one costs one token."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

KeysOrValues = Float[Tensor, "batch heads time head_size"]


class LayerCache:
    """What one attention layer keeps: its keys and values, written in place.

    Attributes:
        keys, values: (batch, heads, context, head_size); the first `length` are filled.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values
        self.length = 0

    def extend(
        self, keys: KeysOrValues, values: KeysOrValues
    ) -> tuple[KeysOrValues, KeysOrValues]:
        """Add those of the next tokens; return those of all tokens so far."""
        end = self.length + keys.shape[2]
        self.keys[:, :, self.length : end] = keys
        self.values[:, :, self.length : end] = values
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class KeyValueCache:
    """A model's memory of texts that it reads piece by piece, in a sliding window.

    A Transformer sees `context_size` tokens. Whatever the pieces are, the logits of a
    token are those of one full pass over its window, up to rounding. The window is the
    whole text while that fits. Beyond, it begins at a multiple of `stride`: at the
    first one for which the token still fits. So it holds between `context_size -
    stride + 1` and `context_size` tokens, and is computed anew every `stride` tokens:
    what is kept of a layer depends on tokens that have left, through the layers below,
    and cannot be shifted. A stride of 1 is nanoGPT's cropping, at its price: a whole
    pass for each token.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        layers: int,
        heads: int,
        head_size: int,
        context_size: int,
        stride: int,
        like: Tensor,
    ) -> None:
        def room() -> Tensor:
            return like.new_zeros(batch_size, heads, context_size, head_size)

        self.layers = [LayerCache(room(), room()) for _ in range(layers)]
        self.context_size, self.stride = context_size, min(stride, context_size)
        self.window = torch.zeros(batch_size, 0, dtype=torch.int64, device=like.device)

    def read(
        self,
        tokens: Int[Tensor, "batch time"],
        logits: Callable[[Tensor, list[LayerCache]], Tensor],
    ) -> Float[Tensor, "batch time vocabulary"]:
        """Return what `logits` gives for the next tokens, after those already read."""
        parts = [
            logits(piece, self.layers)[:, -new:] for piece, new in self._pieces(tokens)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def select(self, rows: Int[Tensor, " rows"]) -> None:
        """Keep these rows of the batch, in this order, as often as they are named."""
        self.window = self.window[rows]
        for layer in self.layers:
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]

    def _pieces(
        self, tokens: Int[Tensor, "batch time"]
    ) -> Iterator[tuple[Tensor, int]]:
        """Yield what is read at once, and how many of its last tokens are new."""
        while tokens.shape[1]:
            kept = tokens[:, :0]
            if self.window.shape[1] == self.context_size:
                kept = self.window[:, self.stride :]
                self.window = self.window[:, :0]
                for layer in self.layers:
                    layer.length = 0
            held = self.window.shape[1] + kept.shape[1]
            new = min(tokens.shape[1], self.context_size - held)
            piece = torch.cat([kept, tokens[:, :new]], dim=1)
            self.window = torch.cat([self.window, piece], dim=1)
            tokens = tokens[:, new:]
            yield piece, new
