"""SWA: the mean of the weights at the ends of the last epochs."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from lightning import LightningModule, Trainer
from torch import nn
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.limits import Natural, Positive, Share

from .averaging import Averaging
from .trial import training_batches

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class SWA(Averaging):
    """Averages once an epoch, from a share of the run on, at a rate that stays up.

    Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better
    Generalization", https://arxiv.org/abs/1803.05407. Batch normalisation's statistics
    are measured anew for the averaged weights (section 3.2), before each validation.

    Args:
        start: the share of the run's epochs after which it begins.
        lr: the rate it goes down to, and stays at; None leaves it to the schedule.
        annealing_epochs: in which it goes down there, along half a cosine.
        normalisation_batches: how many training batches the statistics are measured on.
    """

    def __init__(
        self,
        *,
        start: Share,
        lr: Positive | None,
        annealing_epochs: Natural,
        normalisation_batches: Natural,
    ) -> None:
        super().__init__()
        self.start, self.lr = start, lr
        self.annealing_epochs = annealing_epochs
        self.normalisation_batches = normalisation_batches
        self._rate_before: float | None = None

    def check(self, learner: Learner, config: Mapping[str, Any]) -> None:
        """Refuse a run without a set end."""
        if config["trainer"].get("max_epochs") in (None, -1):
            raise ValueError(
                f"callback.swa.start={self.start} is a share of the run's epochs; "
                "give trainer.max_epochs"
            )

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_start(trainer, pl_module, batch, batch_idx)
        done = trainer.current_epoch - self._first_epoch(trainer)
        if self.lr is None or done < 0:
            return
        groups = [group for each in trainer.optimizers for group in each.param_groups]
        if self._rate_before is None:
            self._rate_before = float(groups[0]["lr"])
        share = 1.0
        if self.annealing_epochs:
            place = done + batch_idx / max(1, trainer.num_training_batches)
            share = min(1.0, place / self.annealing_epochs)
        share = (1 - math.cos(math.pi * share)) / 2
        rate = (1 - share) * self._rate_before + share * self.lr
        for group in groups:  # after the schedule, which sets it at each step
            group["lr"] = rate

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        # Before the epoch's validation, so that what is validated is what is saved.
        if trainer.is_last_batch and trainer.current_epoch >= self._first_epoch(
            trainer
        ):
            self.take_in(pl_module, 1 / (self.updates + 1))

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_validation_start(trainer, pl_module)
        norms = [layer for layer in pl_module.modules() if isinstance(layer, NORMS)]
        if self._trained is not None and norms and self.normalisation_batches:
            self._measure_norms(trainer, pl_module, norms)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "rate_before": self._rate_before}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._rate_before = state_dict["rate_before"]

    def _first_epoch(self, trainer: Trainer) -> int:
        return int(self.start * (trainer.max_epochs or 0))

    @torch.no_grad()
    def _measure_norms(
        self, trainer: Trainer, module: LightningModule, norms: list[Any]
    ) -> None:
        momenta = [norm.momentum for norm in norms]
        modes = {layer: layer.training for layer in module.modules()}
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
            norm.train()
        assert isinstance(module, Learner)
        for batch in training_batches(trainer, module, self.normalisation_batches):
            module.measure(batch)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for layer, mode in modes.items():
            layer.training = mode
        now = module.state_dict()
        self.averages = {name: now[name].clone() for name in self.averages}
