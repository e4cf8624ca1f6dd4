"""DropConnect: connections are left out at random, not whole units.

Wan, Zeiler, Zhang, LeCun & Fergus (2013), "Regularization of Neural Networks using
DropConnect", ICML. https://proceedings.mlr.press/v28/wan13.html

    y = (M * W) x / (1 - rate) + b,  M ~ Bernoulli(1 - rate)    one M a batch

Stage: forward pass, as a parametrization of the weight; the optimizer moves W.

Departs from the paper: one mask a batch, not one an example, as for an LSTM's weights
in Merity et al. (2017), https://arxiv.org/abs/1708.02182; the test uses W, the mean
over masks, not a normal distribution fitted to the units' inputs.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from nnlab.limits import Share
from nnlab.regularizer import ParametrizedRegularizer


class Dropped(nn.Module):
    """Returns a weight with some of its numbers dropped, while training."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.kept: list[Tensor] = []  # the last mask; no buffer, it is no state

    def forward(self, weight: Tensor) -> Tensor:
        if not self.training:
            return weight
        kept = torch.empty_like(weight).bernoulli_(1 - self.rate)
        self.kept = [kept]
        return weight * kept / (1 - self.rate)

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight


class DropConnect(ParametrizedRegularizer):
    """Drops numbers of weights; logs the share that the last step dropped."""

    def __init__(
        self, *, rate: Share, include: list[str] | None, exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.rate = rate
        self.drops: list[Dropped] = []

    def parametrize(self, layer: nn.Module, name: str) -> None:
        drop = Dropped(self.rate)
        self.drops.append(drop)
        # unsafe: what it returns in training is not what it was given
        parametrize.register_parametrization(layer, name, drop, unsafe=True)

    def numbers(self) -> Mapping[str, Tensor | float]:
        kept = [mask.mean() for drop in self.drops for mask in drop.kept]
        return {self.name: 1 - torch.stack(kept).mean()} if kept else {}
