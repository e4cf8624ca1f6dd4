"""Data as others write them, in plain Lightning: they know nothing of nnlab."""

import math
from collections.abc import Iterator
from typing import Literal

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, TensorDataset, get_worker_info

Pair = tuple[Tensor, Tensor]


class Points(IterableDataset[Pair]):
    """Noisy corners of a square, drawn while they are read; each worker has a share."""

    def __init__(self, points: int) -> None:
        self.points = points

    def __iter__(self) -> Iterator[Pair]:
        worker = get_worker_info()
        share = self.points if worker is None else self.points // worker.num_workers
        for _ in range(share):
            corner = torch.randint(2, (2,))
            yield corner + 0.3 * torch.randn(2), corner.sum() % 2


class Stream(LightningDataModule):
    """A stream of points in batches, read ahead by processes."""

    def __init__(self, *, batches: int, batch_size: int, workers: int) -> None:
        super().__init__()
        self.points, self.batch_size, self.workers = (
            batches * batch_size,
            batch_size,
            workers,
        )

    def facts(self) -> dict[str, int]:
        return {"input_size": 2, "classes": 2}

    def train_dataloader(self) -> DataLoader[Pair]:
        return DataLoader(
            Points(self.points), batch_size=self.batch_size, num_workers=self.workers
        )

    def val_dataloader(self) -> DataLoader[Pair]:
        corner = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        return DataLoader(TensorDataset(corner, torch.tensor([0, 1, 1, 0])), 4)

    test_dataloader = val_dataloader


class Poisoned(LightningDataModule):
    """The corners of a square, and one batch whose input is inf or nan."""

    def __init__(
        self,
        *,
        batches: int,
        bad_batch: int,
        bad_value: Literal["infinite", "no_number"],
    ) -> None:
        super().__init__()
        self.batches, self.bad_batch = batches, bad_batch
        self.bad_value = {"infinite": math.inf, "no_number": math.nan}[bad_value]

    def facts(self) -> dict[str, int]:
        return {"input_size": 2, "classes": 2}

    def train_dataloader(self) -> DataLoader[Pair]:
        corner = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        x = corner.repeat(self.batches, 1)
        x[4 * (self.bad_batch - 1)] = self.bad_value
        return DataLoader(
            TensorDataset(x, torch.tensor([0, 1, 1, 0]).repeat(self.batches)), 4
        )

    def val_dataloader(self) -> DataLoader[Pair]:
        corner = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        return DataLoader(TensorDataset(corner, torch.tensor([0, 1, 1, 0])), 4)

    test_dataloader = val_dataloader
