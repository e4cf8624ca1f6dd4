"""L1: small weights cost as much as large ones, so that few stay.

Tibshirani (1996), "Regression Shrinkage and Selection via the Lasso", J. R. Statist.
Soc. B 58(1). https://doi.org/10.1111/j.2517-6161.1996.tb02080.x

    L' = L + weight * sum |w|        gradient: weight * sign(w)

Stage: gradients. A step in steps of a fixed length never lands on 0 exactly:
`regularizer=l1_proximal` does.
"""

from torch import Tensor

from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer


class L1(WeightRegularizer):
    """Adds the sum of absolute weights; logs it."""

    def __init__(
        self, *, weight: NonNegative, include: list[str], exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.weight = weight

    def penalty(self, weight: Tensor) -> Tensor:
        return self.weight * weight.abs().sum()

    def gradient(self, weight: Tensor) -> Tensor:
        return self.weight * weight.sign()
