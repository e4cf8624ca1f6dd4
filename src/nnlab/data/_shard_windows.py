"""Windows of token shards that stay on disk: shuffled without a list, or in order."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from nnlab.batches import Batches, mix
from nnlab.data._permutation import Permutation

Places = NDArray[np.int64]


class Shards:
    """Rows of token ids, memory-mapped: what is not read is not loaded.

    Args:
        rows: ids of each shard (tokens).
    """

    def __init__(self, rows: Sequence[NDArray[Any]], context_size: int) -> None:
        self.rows, self.context_size = rows, context_size

    def windows(self) -> int:
        """Return how many windows side by side there are, wherever the first begins."""
        return int(self._counts().sum())

    def gather(self, shards: Places, starts: Places) -> Tensor:
        """Return windows of context + 1 tokens, int64 (windows, context + 1)."""
        found = np.empty((len(starts), self.context_size + 1), np.int64)
        pairs = zip(shards.tolist(), starts.tolist(), strict=True)
        for into, (shard, start) in zip(found, pairs, strict=True):
            into[:] = self.rows[shard][start : start + self.context_size + 1]
        return torch.from_numpy(found)

    def locate(self, windows: Places) -> tuple[Places, Places]:
        """Return the shard of each window, and where in it the window begins."""
        ends = np.cumsum(self._counts())
        shards = np.searchsorted(ends, windows, side="right")
        within = windows - (ends - self._counts())[shards]
        return shards, within * self.context_size

    def successive(self) -> tuple[Places, Places]:
        """Return shards and starts of windows that predict each token but the first.

        The last one of a shard is moved back to end with it.
        """
        size = self.context_size
        starts = [
            np.unique([*range(0, len(row) - size, size), len(row) - 1 - size])
            for row in self.rows
            if len(row) > size
        ]
        which = [index for index, row in enumerate(self.rows) if len(row) > size]
        lengths = [len(each) for each in starts]
        return np.repeat(which, lengths), np.concatenate(starts)

    def _counts(self) -> Places:
        # one fewer than fit, so that they may begin at any of `context_size` places
        size = self.context_size
        return np.array([max(0, (len(row) - size) // size) for row in self.rows])


class ShuffledWindows(Batches):
    """Every window once, then every window again in another order, and so on.

    The order is a keyed permutation, so that the place in it, (epoch, position), is all
    there is to remember. Ranks take turns in it: none sees what another one does. Each
    round cuts the row at other places.

    A batch is (windows,), int64 (batch, context + 1).

    Args:
        batches: what an epoch is; None: about as many as a round has.
    """

    def __init__(
        self,
        shards: Shards,
        *,
        batch_size: int,
        batches: int | None,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.shards, self.windows = shards, shards.windows()
        everything = (torch.empty(max(self.windows, ranks), 0),)  # counted, never read
        super().__init__(
            everything, batch_size=batch_size, seed=seed, rank=rank, ranks=ranks
        )
        self.random_seed = seed
        self.batches = batches or max(1, self.windows // (batch_size * ranks))

    @override
    def __len__(self) -> int:
        return self.batches

    @override
    def share(self, position: int) -> float:
        return 1.0  # every batch is whole

    @override
    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        start = self._resume_position if self.epoch == self._resume_epoch else 0
        for position in range(start, self.batches):
            before = (self.epoch * self.batches + position) * self.ranks + self.rank
            first = before * self.batch_size
            yield (self.shards.gather(*self.drawn(first, first + self.batch_size)),)

    def drawn(self, first: int, last: int) -> tuple[Places, Places]:
        """Return the shards and starts of the windows drawn first … last - 1."""
        parts: list[tuple[Places, Places]] = []
        while first < last:
            turn, place = divmod(first, self.windows)
            count = min(last - first, self.windows - place)
            order = Permutation(self.windows, self.random_seed, turn)
            shards, starts = self.shards.locate(order(np.arange(place, place + count)))
            offset = mix(self.random_seed, turn) % self.shards.context_size
            parts.append((shards, starts + offset))
            first += count
        shards, starts = zip(*parts, strict=True)
        return np.concatenate(shards), np.concatenate(starts)


class OrderedWindows(Batches):
    """Windows side by side, each once, as `SuccessiveWindows` of one row."""

    def __init__(
        self, shards: Shards, *, batch_size: int, rank: int = 0, ranks: int = 1
    ) -> None:
        self.shards = shards
        where, starts = (torch.from_numpy(each) for each in shards.successive())
        super().__init__((where, starts), batch_size=batch_size, rank=rank, ranks=ranks)

    @override
    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for where, starts in super().__iter__():
            yield (self.shards.gather(where.numpy(), starts.numpy()),)
