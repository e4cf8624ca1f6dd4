"""Two callbacks around a plugin's own, which see what it has done."""

import os
import signal
from dataclasses import dataclass, field
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.testing.fingerprint import parametrized


@dataclass
class Outcome:
    """What came of a fit; plain data, sent from process to process."""

    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    losses: list[float] = field(default_factory=list[float])
    left_behind: list[str] = field(default_factory=list[str])
    not_optimized: list[str] = field(default_factory=list[str])
    late: list[str] = field(default_factory=list[str])
    changed_loss: tuple[float, float] | None = None
    has_batch_norm: bool = False
    batch_size: int | None = None
    steps: int = 0


class Before(Callback):
    """Sees what happens before the plugin's callbacks do."""

    def __init__(self) -> None:
        self.loss: Tensor | None = None
        self.parameters: set[int] = set()
        self.parametrized: set[str] = set()

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.parameters = {id(each) for each in pl_module.parameters()}
        self.parametrized = parametrized(pl_module)

    @override
    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        self.loss = loss.detach().clone()


class After(Callback):
    """Sees what the plugin's callbacks have done.

    Args:
        before: its other half.
        outcome: is filled in.
        killed_after: SIGKILL comes in the step after so many; None: never.
    """

    def __init__(
        self, before: Before, outcome: Outcome, killed_after: int | None
    ) -> None:
        self.before, self.outcome, self.killed_after = before, outcome, killed_after

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self.outcome.losses:
            return
        groups = [group for each in trainer.optimizers for group in each.param_groups]
        optimized = {id(each) for group in groups for each in group["params"]}
        named = dict(pl_module.named_parameters())
        new = {name for name, p in named.items() if id(p) not in self.before.parameters}
        new |= parametrized(pl_module) - self.before.parametrized
        self.outcome.late = sorted(new)
        self.outcome.not_optimized = [
            name
            for name, parameter in named.items()
            if parameter.requires_grad and id(parameter) not in optimized
        ]

    @override
    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        first = self.before.loss
        if first is not None and not torch.equal(first, loss.detach()):
            self.outcome.changed_loss = (first.item(), loss.item())

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        self.outcome.losses.append(0.0 if loss is None else float(loss))
        if self.killed_after is not None and trainer.global_step > self.killed_after:
            os.kill(os.getpid(), signal.SIGKILL)
