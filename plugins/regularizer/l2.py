"""L2 (ridge, Tikhonov): weights are pulled towards 0 in proportion to their size.

Hoerl & Kennard (1970), "Ridge Regression", Technometrics 12(1).
https://doi.org/10.1080/00401706.1970.10488634
Krogh & Hertz (1991), "A Simple Weight Decay Can Improve Generalization", NIPS 4.

    L' = L + weight / 2 * sum w^2    gradient: weight * w

Stage: gradients. With plain gradient descent it is weight decay, and what
`torch.optim.SGD(weight_decay=weight)` does. Adam rescales it; `weight_decay` it leaves.
"""

from torch import Tensor

from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer


class L2(WeightRegularizer):
    """Adds half the sum of squared weights; logs it."""

    def __init__(
        self, *, weight: NonNegative, include: list[str], exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.weight = weight

    def penalty(self, weight: Tensor) -> Tensor:
        return self.weight / 2 * weight.square().sum()

    def gradient(self, weight: Tensor) -> Tensor:
        return self.weight * weight
