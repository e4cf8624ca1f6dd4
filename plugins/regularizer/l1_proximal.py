"""Proximal L1: after each step all weights come nearer to 0, and small ones reach it.

Daubechies, Defrise & De Mol (2004), "An iterative thresholding algorithm for linear
inverse problems with a sparsity constraint", https://arxiv.org/abs/math/0307152;
Parikh & Boyd (2014), "Proximal Algorithms", section 4.2 and 6.5.2.

    w <- sign(w) max(|w| - learning rate * weight, 0)

Stage: after the step. Solves what `l1` descends, min L + weight * sum |w|, with true
zeros. With Adam the step is scaled and this is not, as usual.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer


class L1Proximal(WeightRegularizer):
    """Soft-thresholds weights; logs the penalty and the share of weights that are 0."""

    def __init__(
        self, *, weight: NonNegative, include: list[str], exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.weight = weight

    def penalty(self, weight: Tensor) -> Tensor:
        return self.weight * weight.abs().sum()

    def after_step(self, weight: Tensor, rate: float) -> None:
        smaller = (weight.abs() - rate * self.weight).clamp_(min=0)
        weight.copy_(smaller.copysign_(weight))

    def numbers(self) -> Mapping[str, Tensor | float]:
        zeros = torch.stack([(w == 0).sum() for w in self.weights.values()]).sum()
        weights = sum(weight.numel() for weight in self.weights.values())
        return {**super().numbers(), f"{self.name}_zeros": zeros / weights}
