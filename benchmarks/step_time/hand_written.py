"""The loops that one writes by hand: what nnlab's steps are measured against."""

from collections.abc import Iterator
from typing import Literal

import torch
from nnlab.ext.step_time.networks import Task
from torch import Tensor
from torch.utils.data import DataLoader

Loader = Literal["memory", "torch"]


class Loop:
    """Trains on batches of examples in memory, and looks at the loss once in a turn.

    Args:
        loader: `memory` picks batches by index from tensors, as fast as it goes;
            `torch` is torch's DataLoader over single examples, and Adam without its
            option `fused`, as tutorials have them.
    """

    def __init__(
        self,
        task: Task,
        tensors: tuple[Tensor, ...],
        *,
        batch_size: int,
        loader: Loader,
    ) -> None:
        self.task = task
        weights = [weight for weight in task.parameters() if weight.requires_grad]
        # As fast as it goes beside memory; beside the DataLoader as tutorials write it.
        fused = True if loader == "memory" else None
        self.optimizer = torch.optim.Adam(weights, lr=1e-3, fused=fused)
        batches = picked if loader == "memory" else loaded
        self.batches = batches(task, tensors, batch_size)

    def take(self, steps: int) -> float:
        """Train for that many steps; return the last loss."""
        loss = torch.tensor(0.0)
        for _ in range(steps):
            batch = next(self.batches)
            self.optimizer.zero_grad()
            loss = self.task.loss(*batch)
            loss.backward()
            self.optimizer.step()
            self.task.after_step()
        return loss.item()


def picked(
    task: Task, tensors: tuple[Tensor, ...], batch_size: int
) -> Iterator[tuple[Tensor, ...]]:
    """Yield whole batches by index, in a new order each epoch; tiny sets many times."""
    items = len(tensors[0])
    passes = max(1, 10_000 // items)
    while True:
        order = torch.cat([torch.randperm(items) for _ in range(passes)])
        for first in range(0, len(order) - batch_size + 1, batch_size):
            yield task.batch(tensors, order[first : first + batch_size])


def loaded(
    task: Task, tensors: tuple[Tensor, ...], batch_size: int
) -> Iterator[tuple[Tensor, ...]]:
    """Yield the batches of a DataLoader, shuffled, the short last one left out."""
    dataset = task.dataset(tensors)
    loader = DataLoader(dataset, batch_size, shuffle=True, drop_last=True)
    while True:
        yield from map(tuple, loader)
