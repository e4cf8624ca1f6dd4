"""Input noise: the network shall say the same of what is nearly the same.

Bishop (1995), "Training with Noise is Equivalent to Tikhonov Regularization", Neural
Computation 7(1). https://doi.org/10.1162/neco.1995.7.1.108

    x <- x + N(0, deviation^2)

Stage: the batch, while training.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from nnlab.limits import NonNegative
from nnlab.regularizer import LossRegularizer, Measure

from .inputs import change_inputs


class InputNoise(LossRegularizer):
    """Adds normal noise to the inputs; logs the deviation of what was added."""

    shell: ClassVar[int] = 1

    def __init__(self, *, deviation: NonNegative) -> None:
        super().__init__()
        self.deviation = deviation
        self.added: Tensor | None = None

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        seed = self.batch_seed(self.learner.trainer, self.learner)
        generator = torch.Generator(self.learner.device).manual_seed(seed)

        def noisy(x: Tensor) -> Tensor:
            noise = torch.empty_like(x).normal_(generator=generator)
            self.added = noise.mul_(self.deviation)
            return x + self.added

        return measure(change_inputs(batch, noisy, where=self.where))

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {} if self.added is None else {self.name: self.added.float().std()}
