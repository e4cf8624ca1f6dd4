"""Elastic net: L1 and L2 together; weights that go together stay or leave together.

Zou & Hastie (2005), "Regularization and Variable Selection via the Elastic Net", J. R.
Statist. Soc. B 67(2). https://doi.org/10.1111/j.1467-9868.2005.00503.x

    L' = L + weight * sum (r |w| + (1 - r) / 2 * w^2)        r: l1_ratio

Stage: gradients. `weight` and `l1_ratio` mean what scikit-learn's `alpha` and
`l1_ratio` do: 1 is L1, 0 is L2.
"""

from typing import Annotated

from annotated_types import Interval
from torch import Tensor

from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer


class ElasticNet(WeightRegularizer):
    """Adds a mixture of absolute and squared weights; logs it."""

    def __init__(
        self,
        *,
        weight: NonNegative,
        l1_ratio: Annotated[float, Interval(ge=0, le=1)],
        include: list[str],
        exclude: list[str],
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.l1, self.l2 = weight * l1_ratio, weight * (1 - l1_ratio)

    def penalty(self, weight: Tensor) -> Tensor:
        return self.l1 * weight.abs().sum() + self.l2 / 2 * weight.square().sum()

    def gradient(self, weight: Tensor) -> Tensor:
        return self.l1 * weight.sign() + self.l2 * weight
