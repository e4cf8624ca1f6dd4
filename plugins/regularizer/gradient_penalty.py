"""Gradient penalty, double backpropagation: the loss is kept flat around each input.

Drucker & LeCun (1992), "Improving Generalization Performance Using Double
Backpropagation", IEEE Trans. Neural Networks 3(6). https://doi.org/10.1109/72.165600

    L' = L + weight / 2 * mean |dl / dx|^2    l: the loss of the example x

Stage: the loss, while training. (WGAN-GP's penalty is part of model=gan.)
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from nnlab.errors import UserError
from nnlab.limits import NonNegative
from nnlab.regularizer import LossRegularizer, Measure, with_gradient_of

from .slope import NOT_COMPILED, differentiable, slope_by_input


class GradientPenalty(LossRegularizer):
    """Adds the squared length of the loss's derivative by the input; logs it.

    The model's `loss` must be a mean over the batch, as everywhere in nnlab.
    """

    not_with: ClassVar[Mapping[str, str]] = NOT_COMPILED

    def __init__(self, *, weight: NonNegative) -> None:
        super().__init__()
        self.weight = weight
        self.term: Tensor | None = None

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        batch = differentiable(batch, where=self.where)
        scalars = measure(batch)
        loss, x = scalars["loss"], batch[0]
        slope = slope_by_input(loss * len(x), x, self.loss_scale)
        if slope is None:
            raise UserError(
                f"{self.where} needs a loss that depends on the input, and that of "
                f"{type(self.learner).__name__} does not"
            )
        term = self.weight / 2 * slope.square().sum() / len(x)
        self.term = term.detach()
        return {**scalars, "loss": with_gradient_of(loss, loss + term)}

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {} if self.term is None else {self.name: self.term}
