"""Decoupled weight decay: weights shrink by a share, whatever the optimizer makes of L.

Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization",
https://arxiv.org/abs/1711.05101, algorithm 2.

    w <- (1 - learning rate * weight) w, then the optimizer's step

Stage: before the step, not through the gradient: Adam with it is AdamW. The learning
rate is that of the weight's own group, so that a schedule reaches it.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer, choose


class WeightDecay(WeightRegularizer):
    """Shrinks weights; logs what L2 of the same strengths would add to the loss.

    Args:
        weight: the strength for all weights that no group names.
        groups: strengths of their own by pattern, `{"blocks.0.*": 0.01}`; of several
            that match, the last counts.
    """

    def __init__(
        self,
        *,
        weight: NonNegative,
        groups: dict[str, NonNegative],
        include: list[str],
        exclude: list[str],
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.weight, self.groups = weight, groups
        self.strengths: dict[int, float] = {}

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_fit_start(trainer, pl_module)
        self.strengths = {id(weight): self.weight for weight in self.weights.values()}
        for pattern, strength in self.groups.items():
            where = f"{self.where}.groups"
            choose(
                self.weights, include=[pattern], where=where, kind="decaying weights"
            )
            for name, weight in self.weights.items():
                if fnmatchcase(name, pattern):
                    self.strengths[id(weight)] = strength

    def before_step(self, weight: Tensor, rate: float) -> None:
        weight.mul_(1 - rate * self.strengths[id(weight)])

    @torch.no_grad()
    def numbers(self) -> Mapping[str, Tensor | float]:
        terms = [
            self.strengths[id(weight)] / 2 * weight.float().square().sum()
            for weight in self.weights.values()
        ]
        return {self.name: torch.stack(terms).sum()}
