"""Something tried on a copy of the model, which leaves no trace."""

import copy
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor

from nnlab.learner import Learner

# Of callbacks that make trials.
NOT_WITH = {
    "sharded": "it tries things on a copy of the whole model",
    "own steps": "it tries a model with plain steps of one optimizer",
}


class Trial:
    """A copy of the model with an optimizer of its own, as the config makes it.

    Its steps are plain ones: in the run's precision, without a schedule, accumulation,
    clipping or regularizers that act on gradients; fp16 goes without its scaler.
    """

    def __init__(self, trainer: Trainer, learner: Learner) -> None:
        self.trainer = trainer
        self.learner = copy.deepcopy(learner).to(trainer.strategy.root_device).train()
        self.optimizer = learner.make_optimizer(self.learner.parameters())

    def step(self, batch: Any) -> float:
        """Take one step, and return the loss before it."""
        loss = self._loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def loss(self, batch: Any) -> float:
        """Return the loss in evaluation mode."""
        self.learner.eval()
        loss = self._loss(batch).item()
        self.learner.train()
        return loss

    def _loss(self, batch: Any) -> Tensor:
        with self.trainer.precision_plugin.forward_context():
            return self.learner.measure(batch)["loss"]


@contextmanager
def own_randomness(learner: Learner) -> Generator[None]:
    """Draw from the model's seed inside, and outside as if nothing had been drawn."""
    devices = [learner.device] if learner.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(learner.seed)
        yield


def training_batches(trainer: Trainer, learner: Learner, most: int) -> Iterator[Any]:
    """Yield the first training batches, from the beginning, as the model takes them."""
    yield from islice(_batches(trainer, learner, "train"), most)


def endless_batches(trainer: Trainer, learner: Learner) -> Iterator[Any]:
    """Yield training batches, over and over."""
    while True:
        yield from _batches(trainer, learner, "train")


def validation_batches(trainer: Trainer, learner: Learner, most: int) -> Iterator[Any]:
    """Yield the first validation batches."""
    yield from islice(_batches(trainer, learner, "val"), most)


def _batches(trainer: Trainer, learner: Learner, split: str) -> Iterator[Any]:
    data: Any = getattr(trainer, "datamodule")  # noqa: B009  # untyped there
    loader = data.train_dataloader() if split == "train" else data.val_dataloader()
    if hasattr(loader, "resume"):
        loader.resume()  # else a continued run would leave out what it has learned from
    for batch in loader:
        moved = move_data_to_device(batch, trainer.strategy.root_device)
        yield data.on_after_batch_transfer(moved, 0)
