"""Replay: data of torch's own loaders continue at the batch where they were stopped."""

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule

from nnlab.batches import mix

SEVERAL = (list, tuple, dict)  # loaders side by side, which are Lightning's to combine


class Replay:
    """Serves a loader's batches, each a function of (seed, rank, epoch, position).

    A DataLoader, with worker processes or of a stream without a length, cannot be asked
    for its place. So what it draws from is seeded, Python's, NumPy's and torch's random
    numbers, and a run that continues fetches the batches before its place again and
    drops them. That does not reach what a data set remembers itself, nor workers that
    are kept from one epoch to the next (`persistent_workers`).
    """

    def __init__(
        self, loader: Any, *, seed: int, rank: int, epoch: Callable[[], int]
    ) -> None:
        self.loader = loader
        self.seed, self.rank = seed, rank
        # Asked, not told: Lightning reads ahead before it calls a `set_epoch`.
        self.epoch = epoch
        self._first: tuple[int, int] | None = None

    def resume(self, *, epoch: int, position: int) -> None:
        """Start in that epoch after `position` batches, and the next one as usual."""
        self._first = epoch, position

    # With these two Lightning takes the loader for one that can continue; see batches.
    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass

    def __len__(self) -> int:
        return len(self.loader)  # a TypeError where there is no length

    def __iter__(self) -> Iterator[Any]:
        epoch, start = self._first or (self.epoch(), 0)
        self._first = None
        self._tell(epoch)
        self._seed(epoch, -1)
        batches = iter(self.loader)
        for position in count():
            self._seed(epoch, position)
            try:
                batch = next(batches)
            except StopIteration:
                return
            if position >= start:
                yield batch

    def _tell(self, epoch: int) -> None:
        batches = getattr(self.loader, "batch_sampler", None)
        for owner in (self.loader, batches):
            sampler: Any = getattr(owner, "sampler", None)
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)

    def _seed(self, epoch: int, position: int) -> None:
        seed = mix(self.seed, self.rank, epoch, position)
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        own = getattr(self.loader, "generator", None)
        if own is not None:
            own.manual_seed(seed)


class _Placed(LightningDataModule):
    """What is put before a data module's class: its place, in the checkpoint."""

    place: dict[str, int]
    seed_of_order: int

    def train_dataloader(self) -> Any:
        loader = super().train_dataloader()
        if isinstance(loader, SEVERAL):
            return loader
        trainer = self.trainer
        assert trainer is not None
        replay = Replay(
            loader,
            seed=self.seed_of_order,
            rank=trainer.global_rank,
            epoch=lambda: trainer.current_epoch,
        )
        if self.place.get("epoch", -1) >= trainer.current_epoch:
            replay.resume(**self.place)
        return replay

    def state_dict(self) -> dict[str, int]:
        place = place_in_epoch(self)
        if not place:
            return place
        assert self.trainer is not None
        batches: Any = self.trainer.fit_loop.epoch_loop.batch_progress
        if batches.is_last_batch and batches.current.completed:  # the next one begins
            return {"epoch": self.trainer.current_epoch + 1, "position": 0}
        return place

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.place = dict(state_dict)


def remember_place(data: LightningDataModule, seed: int) -> None:
    """Let a data module without a state of its own continue in mid-epoch."""
    cls = type(data)
    if cls.state_dict is not LightningDataModule.state_dict:
        return  # nnlab's own and careful strangers' know their place
    data.__class__ = type(
        cls.__name__, (_Placed, cls), {"__qualname__": cls.__qualname__}
    )
    vars(data).update(place={}, seed_of_order=seed)


def place_in_epoch(data: LightningDataModule) -> dict[str, int]:
    """Return the epoch, and how many of its batches the model has learned from."""
    if data.trainer is None:
        return {}
    loop = data.trainer.fit_loop
    # between two epochs Lightning still counts the batches of the one that ended
    is_inside = loop.epoch_progress.current.ready > data.trainer.current_epoch
    batches: Any = loop.epoch_loop.batch_progress.current
    position = batches.processed if is_inside else 0
    return {"epoch": data.trainer.current_epoch, "position": position}
