"""Freezing: what is trained from the start, and what joins it, epoch by epoch."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import nn
from torch.optim import Optimizer
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.learner import Learner
from nnlab.limits import Count
from nnlab.regularizer import choose

from .layers import layer_of

log = logging.getLogger("nnlab.run")


class Freeze(Callback):
    """Keeps weights as they are all through the run: patterns on their names.

    A layer of batch normalisation all of whose weights are frozen keeps its statistics
    too. Frozen weights stay in the optimizer, which passes over what has no gradient.
    """

    choice = "freeze"

    def __init__(self, *, include: list[str], exclude: list[str]) -> None:
        self.include, self.exclude = include, exclude
        self._frozen: dict[str, nn.Parameter] = {}
        self._before: dict[str, bool] = {}
        self._still: list[nn.Module] = []

    def check(self, learner: Learner, config: Mapping[str, Any]) -> None:
        """Refuse patterns that match nothing, or leave nothing to learn."""
        names = [name for name, _ in learner.named_parameters()]
        if len(self._chosen(learner)) == len(names):
            raise UserError(
                f"callback.{self.choice}.include={','.join(self.include)} freezes all "
                "weights, and nothing would be learned; exclude some"
            )

    def frozen(self, learner: nn.Module) -> list[str]:
        """Return the names of the weights that never learn."""
        return self._chosen(learner)

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            self._before = {n: p.requires_grad for n, p in pl_module.named_parameters()}
            self.hold(pl_module, self._chosen(pl_module))

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        for layer in self._still:  # each validation ends in training mode
            layer.eval()

    @override
    def teardown(
        self, trainer: Trainer, pl_module: LightningModule, stage: str
    ) -> None:
        for name, weight in pl_module.named_parameters():
            weight.requires_grad_(self._before.get(name, weight.requires_grad))
        self._before, self._still = {}, []

    def hold(self, module: LightningModule, names: Sequence[str]) -> None:
        """Freeze these weights, and thaw all others that a fit had to train."""
        for name, weight in module.named_parameters():
            weight.requires_grad_(name not in names and self._before[name])
        thawed = {layer_of(name) for name in self._before} - {
            layer_of(n) for n in names
        }
        self._still = [
            layer
            for name, layer in module.named_modules()
            if "BatchNorm" in type(layer).__name__ and name not in thawed
        ]

    def _chosen(self, module: nn.Module) -> list[str]:
        names = [name for name, _ in module.named_parameters()]
        where = f"callback.{self.choice}"
        return choose(
            names,
            include=self.include,
            exclude=self.exclude,
            where=where,
            kind="weights",
        )


class Unfreeze(Freeze):
    """Trains the last layers first, and lets the ones before them join.

    Gradual unfreezing: Howard & Ruder 2018, "Universal Language Model Fine-tuning for
    Text Classification", https://arxiv.org/abs/1801.06146, section 3.3. Layers join in
    the reverse order of the model's definition. In a group of processes frozen weights
    take part in the backward pass, and their gradients are thrown away before the step:
    DDP settles at the start which ones it waits for.

    Args:
        include, exclude: patterns of the weights that are frozen at first.
        every_n_epochs: how often layers join.
        layers: how many at a time, also at first.
    """

    choice = "unfreeze"

    def __init__(
        self,
        *,
        include: list[str],
        exclude: list[str],
        every_n_epochs: Count,
        layers: Count,
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.every_n_epochs, self.layers_at_a_time = every_n_epochs, layers
        self._dropped: set[str] = set()

    @override
    def check(self, learner: Learner, config: Mapping[str, Any]) -> None:
        self._chosen(learner)

    @override
    def frozen(self, learner: nn.Module) -> list[str]:
        return []  # each joins, if there are epochs enough

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            self._before = {n: p.requires_grad for n, p in pl_module.named_parameters()}

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._settle(trainer, pl_module)  # of a run that continues within an epoch

    @override
    def on_train_epoch_start(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        frozen = self._settle(trainer, pl_module)
        epoch = trainer.current_epoch
        before = self.frozen_in(pl_module, epoch - 1) if epoch else None
        if frozen != before:
            layers = ", ".join(dict.fromkeys(layer_of(name) for name in frozen))
            left = f"frozen are {layers}" if layers else "all layers learn"
            log.info("unfreeze: epoch %s, %s", epoch + 1, left)

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        for name, weight in pl_module.named_parameters():
            if name in self._dropped:
                weight.grad = None
        _begin_momenta(optimizer)

    def _settle(self, trainer: Trainer, module: LightningModule) -> list[str]:
        """Freeze what is to be frozen in this epoch, and return its names."""
        frozen = self.frozen_in(module, trainer.current_epoch)
        if trainer.world_size == 1:
            self.hold(module, frozen)
        else:
            self._dropped = set(frozen)
        return frozen

    def frozen_in(self, module: LightningModule, epoch: int) -> list[str]:
        """Return the names of the weights that are frozen in an epoch, from 0."""
        chosen = self._chosen(module)
        layers = list(dict.fromkeys(layer_of(name) for name in chosen))
        joined = (epoch // self.every_n_epochs + 1) * self.layers_at_a_time
        kept = layers[: max(0, len(layers) - joined)]
        return [name for name in chosen if layer_of(name) in kept]


def _begin_momenta(optimizer: Optimizer) -> None:
    """Give weights that join a momentum of 0, as if they had had no gradient so far.

    torch's fused SGD (2.15) fails where some weights of a group have one and some not.
    """
    optimizer = getattr(optimizer, "optimizer", optimizer)  # of Lightning's wrapper
    if not isinstance(optimizer, torch.optim.SGD) or not optimizer.state:
        return
    for group in optimizer.param_groups:
        for weight in group["params"] if group["momentum"] else ():
            state = optimizer.state[weight]
            if weight.grad is not None and state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(weight)
