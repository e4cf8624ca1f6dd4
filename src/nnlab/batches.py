"""Whole batches by index from tensors in memory, at a position that is remembered."""

from collections.abc import Iterator

import torch
from torch import Tensor


class Batches:
    """Serves tensors of one length as batches: no workers, no per-item Python.

    The order is a function of (seed, epoch) alone, so that a run that continues in the
    middle of an epoch sees the very batches it would have seen. Lightning calls
    `set_epoch` through the attribute `sampler`.

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
        self.tensors = tensors
        self.batch_size = batch_size
        self.seed = seed
        self.repeats = repeats
        self.rank, self.ranks = rank, ranks
        self.epoch = 0
        self._resume_epoch, self._resume_position = -1, 0

    @property
    def sampler(self) -> "Batches":
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def resume(self, *, epoch: int = -1, position: int = 0) -> None:
        """Start that epoch, and only that one, after `position` batches."""
        self._resume_epoch, self._resume_position = epoch, position

    def __len__(self) -> int:
        items = len(self.tensors[0]) * self.repeats
        if self.seed is not None and self.ranks > 1:  # equal steps on every rank
            return max(1, items // (self.batch_size * self.ranks))
        return -(-items // (self.batch_size * self.ranks))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        start = self._resume_position if self.epoch == self._resume_epoch else 0
        order = self._order()
        for position in range(start, len(self)):
            first = (position * self.ranks + self.rank) * self.batch_size
            index = order[first : first + self.batch_size]
            yield tuple(tensor[index] for tensor in self.tensors)

    def _order(self) -> Tensor:
        items = len(self.tensors[0])
        if self.seed is None:
            return torch.arange(items).repeat(self.repeats)
        generator = torch.Generator().manual_seed(mix(self.seed, self.epoch))
        rounds = (torch.randperm(items, generator=generator) for _ in range(self.repeats))
        return torch.cat(list(rounds))


def mix(*numbers: int) -> int:
    """Hash integers to a seed below 2**63, so that (1, 2) and (2, 1) are unrelated.

    SplitMix64's finaliser over each number in turn (Steele, Lea & Flood 2014,
    "Fast Splittable Pseudorandom Number Generators", figure 16).
    """
    mask = (1 << 64) - 1
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & mask
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
        state ^= state >> 31
    return state >> 1
