"""One fault a class. Each has happened to somebody."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, distributed, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.optim import Optimizer
from typing_extensions import override


class Good(Callback):
    """Does nothing wrong, because it does nothing."""


class Silent(Callback):
    """A regularizer of which nobody learns how strong it was."""


class InPlaceLoss(Callback):
    """Adds a penalty to the loss itself: too weak under a loss scale."""

    @override
    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        penalty = sum(weight.abs().sum() for weight in pl_module.parameters())
        loss += 1e-2 * penalty


class UnseededNoise(Callback):
    """Draws from a generator that nobody seeded."""

    generator: torch.Generator | None = None

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        if self.generator is None:
            self.generator = torch.Generator()
            self.generator.seed()
        for weight in pl_module.parameters():
            assert weight.grad is not None
            weight.grad += 0.1 * torch.randn(weight.shape, generator=self.generator)


class RankNoise(Callback):
    """Draws from torch's own generator, which is another on each rank."""

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        for weight in pl_module.parameters():
            assert weight.grad is not None
            weight.grad += 0.1 * torch.randn_like(weight)


class LeakedHook(Callback):
    """Puts in what it never takes out."""

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        pl_module.get_submodule("output").register_forward_hook(_nothing)


class LeakedWrapper(Callback):
    """Replaces a method of the model."""

    @override
    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        measure = pl_module.measure
        pl_module.measure = lambda batch: measure(batch)


class LeakedPatch(Callback):
    """Replaces a function of torch for everybody."""

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        cross_entropy = nn.functional.cross_entropy

        def smoothed(*arguments: Any, **keywords: Any) -> Tensor:
            return cross_entropy(*arguments, **keywords, label_smoothing=0.1)

        nn.functional.cross_entropy = smoothed


class LateParametrization(Callback):
    """Adds parameters that no optimizer will ever move."""

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        weight_norm(pl_module.get_submodule("output"))

    @override
    def teardown(
        self, trainer: Trainer, pl_module: LightningModule, stage: str
    ) -> None:
        layer = pl_module.get_submodule("output")
        nn.utils.parametrize.remove_parametrizations(layer, "weight")


class Forgets(Callback):
    """Every fourth step is cut short; it forgets how many there were."""

    def __init__(self) -> None:
        self.steps = 0

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        self.steps += 1
        if self.steps % 4 == 0:
            for weight in pl_module.parameters():
                assert weight.grad is not None
                weight.grad *= 0.1


class HoldsLambda(Callback):
    """Holds what only this process has."""

    def __init__(self) -> None:
        self.function = lambda: None


class Crashes(Callback):
    """Works for a step, and no longer."""

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step == 1:
            raise ZeroDivisionError("the second step")


class Waits(Callback):
    """Rank 0 alone waits for the others."""

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.world_size > 1 and trainer.global_rank == 0:
            distributed.barrier()


def _nothing(*_: object) -> None:
    """A hook that changes nothing."""
