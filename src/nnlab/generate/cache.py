"""Keys and values that attention has computed once and need not compute again."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class KeyValueCache:
    """The keys and values of the positions read so far, in every layer.

    The memory is taken at once: growing a tensor by a row a token copies it every time.

    Args:
        layers, batch_size, heads, head_size: of the keys and values (`heads` are those
            of the keys, fewer than the queries' under grouped-query attention).
        capacity: positions at most, the model's context_size.
        like: a tensor whose device and type the cache has, a weight of the model.
    """

    def __init__(
        self,
        *,
        layers: int,
        batch_size: int,
        heads: int,
        head_size: int,
        capacity: int,
        like: Tensor,
    ) -> None:
        shape = (layers, batch_size, heads, capacity, head_size)
        self.keys: Float[Tensor, "layers batch heads capacity size"]
        self.keys, self.values = like.new_empty(shape), like.new_empty(shape)
        self.length = 0

    def extend(
        self,
        layer: int,
        keys: Float[Tensor, "batch heads time size"],
        values: Float[Tensor, "batch heads time size"],
    ) -> tuple[
        Float[Tensor, "batch heads length size"],
        Float[Tensor, "batch heads length size"],
    ]:
        """Store a layer's keys and values of new positions; return those of all so far.

        `length` stays as it was until every layer has done so: see `advance`.
        """
        end = self.length + keys.shape[2]
        self.keys[layer, :, :, self.length : end] = keys
        self.values[layer, :, :, self.length : end] = values
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def advance(self, time: int) -> None:
        """Count new positions as read, once every layer has stored them."""
        self.length += time

    def select(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows of the batch, in this order: a beam search's parents."""
        end = self.length
        keys, values = self.keys, self.values
        if len(rows) == keys.shape[1]:
            keys[..., :end, :] = keys[:, rows, :, :end]
            values[..., :end, :] = values[:, rows, :, :end]
            return
        self.keys, self.values = (
            torch.index_select(each, 1, rows) for each in (keys, values)
        )
