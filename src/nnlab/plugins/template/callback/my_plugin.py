"""Logs how long the vector of all weights is, as `my_plugin/weight_norm`."""

import torch
from lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from nnlab.limits import Count


class MyPlugin(Callback):
    """Measures every `epochs` epochs; changes nothing."""

    def __init__(self, *, epochs: Count) -> None:
        self.epochs = epochs

    @override
    @torch.no_grad()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if (trainer.current_epoch + 1) % self.epochs:
            return
        norms = [weight.norm() for weight in pl_module.parameters()]
        row = {"my_plugin/weight_norm": float(torch.stack(norms).norm())}
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.global_step)
