"""Windows of a long row of token ids: drawn at random, or one after the other."""

from collections.abc import Iterator

import torch
from torch import Tensor

from nnlab.batches import Batches, mix

AT_ONCE = 32  # windows of one text


class RandomWindows(Batches):
    """Windows that begin anywhere, as many batches of them as an epoch is said to have.

    Where they begin is a function of (seed, epoch, position) alone. All ranks draw the
    places of `batch_size * ranks` windows, and each serves its own part of them.

    A batch is (windows,), int64 (batch, context + 1): the tokens and, one place later,
    the targets. It costs one gather from the row, which may be a memory-mapped file:
    what is not read is not loaded.

    Args:
        ids: (tokens); more of them than `context_size`.
        batches: how many an epoch has, for each rank.
    """

    def __init__(
        self,
        ids: Tensor,
        *,
        context_size: int,
        batch_size: int,
        batches: int,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        super().__init__(
            (ids,), batch_size=batch_size, seed=seed, rank=rank, ranks=ranks
        )
        self.random_seed = seed
        self.batches = batches
        self.windows = ids.unfold(0, context_size + 1, 1)  # a view: a row a place

    def __len__(self) -> int:
        return self.batches

    def share(self, position: int) -> float:
        return 1.0  # every batch is whole

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        start = self._resume_position if self.epoch == self._resume_epoch else 0
        for position in range(start, self.batches):
            places = self._places(position).to(self.device, non_blocking=True)
            yield (self.windows.index_select(0, places).long(),)

    def _places(self, position: int) -> Tensor:
        seed = mix(self.random_seed, self.epoch, position)
        generator = torch.Generator().manual_seed(seed)
        size = (self.ranks, self.batch_size)
        return torch.randint(len(self.windows), size, generator=generator)[self.rank]


class SuccessiveWindows(Batches):
    """Windows that lie side by side and cover the row: each token is predicted once.

    Where the row does not divide, the last window is moved back to end with it, and the
    fewer than `context_size` tokens that it shares with the one before count twice.
    """

    def __init__(
        self,
        ids: Tensor,
        *,
        context_size: int,
        batch_size: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.windows = ids.unfold(0, context_size + 1, 1)
        super().__init__(
            (window_places(len(ids), context_size),),
            batch_size=batch_size,
            rank=rank,
            ranks=ranks,
        )

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for (places,) in super().__iter__():
            places = places.to(self.windows.device, non_blocking=True)
            yield (self.windows.index_select(0, places).long(),)


def window_places(tokens: int, context_size: int) -> Tensor:
    """Return where windows begin that predict every token but the first."""
    last = tokens - 1 - context_size
    assert last >= 0
    places = torch.arange(0, last + 1, context_size)
    return torch.cat([places, torch.tensor([last])]).unique()


def side_by_side(
    tokens: Tensor, targets: Tensor, context_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield a text's windows, each token in one of them, as batches; the rest last.

    Args:
        tokens, targets: (time) each.
    """
    whole = len(tokens) // context_size * context_size
    if whole:
        parts = (part[:whole].view(-1, context_size) for part in (tokens, targets))
        yield from zip(*(part.split(AT_ONCE) for part in parts), strict=True)
    if whole < len(tokens):
        yield tokens[None, whole:], targets[None, whole:]
