"""Whole batches by index from tensors in memory, at a position that is remembered."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

GATHERED_BYTES = 2**16  # of small batches at a time: half of what a core keeps near


class Batches:
    """Serves tensors of one length as batches: no workers, no per-item Python.

    The order is a function of (seed, epoch) alone, so that a run that continues in the
    middle of an epoch sees the very batches it would have seen. Lightning calls
    `set_epoch` through the attribute `batch_sampler`.

    Every rank serves as many batches as the others and none of them is empty, because
    ranks wait for each other; each example is served once. What does not fill a batch
    is shared as evenly as it goes, and `share` says how much each one's part weighs, so
    that ranks together learn from it what one process would.

    Attributes:
        seed: of the order; None serves the tensors as they lie.
        repeats: how often an epoch goes through the tensors, in a new order each time:
            tiny sets get epochs of many batches.
        rank, ranks: this process's share of every batch of `batch_size * ranks`.
    """

    def __init__(
        self,
        tensors: tuple[Tensor, ...],
        *,
        batch_size: int,
        seed: int | None = None,
        repeats: int = 1,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        assert len({len(tensor) for tensor in tensors}) == 1
        assert len(tensors[0]) * repeats >= ranks  # DataModule tells the user
        self.tensors = tensors
        self.batch_size = batch_size
        self.seed = seed
        self.repeats = repeats
        self.rank, self.ranks = rank, ranks
        self.epoch = 0
        self._resume_epoch, self._resume_position = -1, 0

    @property
    def batch_sampler(self) -> SimpleNamespace:
        """Where Lightning looks for `set_epoch`: on a batch sampler's sampler."""
        return SimpleNamespace(sampler=self)

    @property
    def device(self) -> torch.device:
        """Where the tensors lie, and with them each batch."""
        return self.tensors[0].device

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def resume(self, *, epoch: int = -1, position: int = 0) -> None:
        """Start that epoch, and only that one, after `position` batches."""
        self._resume_epoch, self._resume_position = epoch, position

    # With these two Lightning takes the loader for one that can continue in the middle
    # of an epoch, which it can. Its place is kept in the DataModule's state, because
    # Lightning drops the loader's (lightning issue 20550).
    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass

    def __len__(self) -> int:
        whole, rest = divmod(self._items, self.batch_size * self.ranks)
        # a rest with fewer examples than ranks joins the batch before it
        return max(1, whole + (rest >= self.ranks))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        start = self._resume_position if self.epoch == self._resume_epoch else 0
        order = self._order().to(self.device, non_blocking=True)
        # index_select is ten times faster than tensor[index] on rows of bytes
        if self.ranks == 1:
            yield from self._gathered(order, start)
            return
        for position in range(start, len(self)):
            index = self._share(order, position)
            yield tuple(tensor.index_select(0, index) for tensor in self.tensors)

    @property
    def _items(self) -> int:
        return len(self.tensors[0]) * self.repeats

    def share(self, position: int) -> float:
        """Return what this rank's part of a batch weighs; 1 where parts are equal.

        The mean over ranks of `share * the part's mean` is the mean of the whole batch.
        """
        first, last, batch = self._extent(position)
        return (last - first) * self.ranks / batch

    def _gathered(self, order: Tensor, start: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches from position `start` on: small ones gathered together.

        They are gathered alike wherever an epoch continues: a kernel's last bit may
        depend on where in memory a batch lies.
        """
        row = sum(tensor[0].nbytes for tensor in self.tensors)
        together = max(1, GATHERED_BYTES // max(1, row * self.batch_size))
        for first in range(start - start % together, len(self), together):
            last = (first + together) * self.batch_size
            index = order[first * self.batch_size : last]
            # `split` would make views, of which none may be changed in place
            parts = (
                tensor.index_select(0, index).unsafe_split(self.batch_size)
                for tensor in self.tensors
            )
            yield from islice(zip(*parts, strict=True), max(0, start - first), None)

    def _share(self, order: Tensor, position: int) -> Tensor:
        """Return this rank's part of the batch that all ranks serve at `position`."""
        first, last, _ = self._extent(position)
        start = position * self.batch_size * self.ranks
        return order[start + first : start + last]

    def _extent(self, position: int) -> tuple[int, int, int]:
        """Return where this rank's part begins and ends, and what all ranks serve."""
        size = self.batch_size * self.ranks
        if position == len(self) - 1:
            size = self._items - position * size
        first, last = (size * rank // self.ranks for rank in (self.rank, self.rank + 1))
        return first, last, size

    def _order(self) -> Tensor:
        items = len(self.tensors[0])
        if self.seed is None:
            return torch.arange(items).repeat(self.repeats)
        generator = torch.Generator().manual_seed(mix(self.seed, self.epoch))
        rounds = (
            torch.randperm(items, generator=generator) for _ in range(self.repeats)
        )
        return torch.cat(list(rounds))


def mix(*numbers: int) -> int:
    """Hash integers to a seed below 2**63, so that (1, 2) and (2, 1) are unrelated.

    SplitMix64's finaliser over each number in turn (Steele, Lea & Flood 2014,
    "Fast Splittable Pseudorandom Number Generators", figure 16).
    """
    return _stirred(_mixed(*numbers[:-1]), numbers[-1]) >> 1


@lru_cache(maxsize=64)  # of a training step only the last number is new
def _mixed(*numbers: int) -> int:
    state = 0
    for number in numbers:
        state = _stirred(state, number)
    return state


def _stirred(state: int, number: int) -> int:
    mask = (1 << 64) - 1
    state = (state + number + 0x9E3779B97F4A7C15) & mask
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
    return state ^ (state >> 31)
