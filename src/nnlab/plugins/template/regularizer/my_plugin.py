"""Pulls every weight towards zero: adds strength * w^2 / 2 to the loss.

Stage: gradients. The penalty is added to the gradient once an optimizer step, to whole
and unscaled gradients, so that it means the same under accumulation and in 16 bits.
"""

from torch import Tensor
from typing_extensions import override

from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer


class MyPlugin(WeightRegularizer):
    """Adds `strength * w` to the gradient of each chosen weight."""

    def __init__(
        self, *, strength: NonNegative, include: list[str], exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.strength = strength

    @override
    def penalty(self, weight: Tensor) -> Tensor:
        return self.strength * weight.square().sum() / 2

    @override
    def gradient(self, weight: Tensor) -> Tensor:
        return self.strength * weight
