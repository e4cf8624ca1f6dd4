"""DataModule: the one base class of every data set that lies in memory."""

from typing import Any, NamedTuple

from lightning import LightningDataModule
from torch import Tensor

from nnlab.batches import Batches


class Splits(NamedTuple):
    """Three sets of examples that never overlap; each a tuple of equally long tensors."""

    train: tuple[Tensor, ...]
    validation: tuple[Tensor, ...]
    test: tuple[Tensor, ...]


class DataModule(LightningDataModule):
    """Small data as tensors, served as whole batches by index.

    A data set answers three questions: `facts()`, what does it offer a model; `load()`,
    what are its splits, as compact as they can be stored (uint8 images); and
    `prepare(batch)`, what becomes of a batch once it is on the device (scaled floats).

    Its place in the epoch is part of the checkpoint.
    """

    def __init__(self, *, batch_size: int, seed: int, repeats: int = 1) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed
        self.repeats = repeats
        self.splits: Splits | None = None
        self._train: Batches | None = None
        self._place: dict[str, int] = {}

    def facts(self) -> dict[str, int]:
        """Return what a model may need to know, by the names of this room's README."""
        raise NotImplementedError

    def load(self) -> Splits:
        """Return the splits. Raises `UserError` where the data are missing or damaged."""
        raise NotImplementedError

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the batch as the model takes it; runs on the model's device."""
        return batch

    def setup(self, stage: str | None = None) -> None:
        if self.splits is None:
            self.splits = self.load()

    def train_dataloader(self) -> Batches:
        self._train = self._batches("train", seed=self.seed, repeats=self.repeats)
        self._train.resume(**self._place)
        return self._train

    def val_dataloader(self) -> Batches:
        return self._batches("validation")

    def test_dataloader(self) -> Batches:
        return self._batches("test")

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return self.prepare(batch)

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches the model has learned from."""
        if self.trainer is None:
            return {}
        progress = self.trainer.fit_loop.epoch_loop.batch_progress.current
        return {"epoch": self.trainer.current_epoch, "position": progress.processed}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._place = dict(state_dict)

    def _batches(
        self, split: str, *, seed: int | None = None, repeats: int = 1
    ) -> Batches:
        self.setup()
        assert self.splits is not None
        rank = self.trainer.global_rank if self.trainer else 0
        ranks = self.trainer.world_size if self.trainer else 1
        return Batches(
            getattr(self.splits, split),
            batch_size=self.batch_size,
            seed=seed,
            repeats=repeats,
            rank=rank,
            ranks=ranks,
        )
