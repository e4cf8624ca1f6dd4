"""Gradient noise: a random push at each step, weaker as time goes on.

Neelakantan et al. (2015), "Adding Gradient Noise Improves Learning for Very Deep
Networks", https://arxiv.org/abs/1511.06807, equation 1.

    g <- g + N(0, s^2),    s^2 = eta / (1 + t)^gamma    at step t

Stage: gradients. The noise is a function of (seed, step), the same on every rank.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override

from nnlab.limits import NonNegative, Positive
from nnlab.regularizer import WeightRegularizer


class GradientNoise(WeightRegularizer):
    """Adds normal noise to gradients; logs its standard deviation."""

    not_with: ClassVar[Mapping[str, str]] = {
        "sharded": "it draws noise for whole weights"
    }

    def __init__(
        self,
        *,
        eta: Positive,
        gamma: NonNegative,
        include: list[str],
        exclude: list[str],
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.eta, self.gamma = eta, gamma
        self.deviation = 0.0
        self.generator = torch.Generator()

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        step = trainer.global_step
        self.deviation = (self.eta / (1 + step) ** self.gamma) ** 0.5
        self.generator = torch.Generator(pl_module.device)
        self.generator.manual_seed(self.step_seed(trainer, pl_module))
        super().on_before_optimizer_step(trainer, pl_module, optimizer)

    def gradient(self, weight: Tensor) -> Tensor:
        noise: dict[str, Any] = {"generator": self.generator, "dtype": weight.dtype}
        drawn = torch.randn(weight.shape, device=weight.device, **noise)
        return drawn.mul_(self.deviation)

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {self.name: self.deviation}
