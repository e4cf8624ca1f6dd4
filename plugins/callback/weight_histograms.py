"""The distribution of each layer's weights over a run, in TensorBoard."""

from collections.abc import Mapping
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch.optim import Optimizer
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.limits import Count

from .needs import need_tensorboard
from .rows import board


class WeightHistograms(Callback):
    """Writes histograms of the weights, and of the gradients of the last step before.

    Args:
        every_n_epochs: how often.
        gradients: whether gradients are written too, under `gradient/…`.
    """

    def __init__(self, *, every_n_epochs: Count, gradients: bool) -> None:
        self.every_n_epochs, self.gradients = every_n_epochs, gradients

    def check(self, learner: Learner, config: Mapping[str, Any]) -> None:
        """Refuse a run without TensorBoard."""
        need_tensorboard("weight_histograms", config)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 0:
            self._write(trainer, pl_module)

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        if self.gradients and trainer.is_last_batch and self._is_due(trainer):
            step = trainer.global_step + 1
            for name, weight in pl_module.named_parameters():
                if weight.grad is not None:
                    values = weight.grad.detach().float().cpu()
                    self._add(trainer, f"gradient/{name}", values, step)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._is_due(trainer):
            self._write(trainer, pl_module)

    def _is_due(self, trainer: Trainer) -> bool:
        return (trainer.current_epoch + 1) % self.every_n_epochs == 0

    def _write(self, trainer: Trainer, module: LightningModule) -> None:
        for name, weight in module.named_parameters():
            values = weight.detach().float().cpu()
            self._add(trainer, f"weight/{name}", values, trainer.global_step)

    def _add(self, trainer: Trainer, tag: str, values: Any, step: int) -> None:
        writer = board(trainer)
        if writer is not None and trainer.is_global_zero:
            writer.add_histogram(tag, values, step)
