"""Max-norm: no unit's incoming weights grow longer than a bound.

Srebro & Shraibman (2005), "Rank, Trace-Norm and Max-Norm"; Srivastava et al. (2014),
"Dropout", JMLR 15, section 5.1. https://jmlr.org/papers/v15/srivastava14a.html

    w_i <- w_i * min(1, maximum / |w_i|)    for the weights w_i into each unit i

Stage: after the step: the bound holds after every one.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.limits import Positive
from nnlab.regularizer import WeightRegularizer

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class MaxNorm(WeightRegularizer):
    """Shortens what is too long of matrices and filters; logs the longest that is left.

    A unit is a row of a matrix, a convolution's output channel, a token's embedding.
    Biases have no direction and are left alone.
    """

    not_with: ClassVar[Mapping[str, str]] = {
        "sharded": "it measures whole rows of weights"
    }

    def __init__(
        self, *, maximum: Positive, include: list[str], exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.maximum = maximum
        self.transposed: dict[int, int] = {}  # groups of a transposed convolution

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_fit_start(trainer, pl_module)
        self.weights = {name: w for name, w in self.weights.items() if w.ndim > 1}
        if not self.weights:
            raise UserError(f"{self.where}.include matches no matrix and no filter")
        self.transposed = {
            id(layer.weight): layer.groups
            for layer in pl_module.modules()
            if isinstance(layer, TRANSPOSED)
        }

    def after_step(self, weight: Tensor, rate: float) -> None:
        for part, axis in self._parts(weight):
            part.renorm_(2, axis, self.maximum)

    @torch.no_grad()
    def numbers(self) -> Mapping[str, Tensor | float]:
        longest = [
            part.movedim(axis, 0).flatten(1).norm(dim=1).max()
            for weight in self.weights.values()
            for part, axis in self._parts(weight)
        ]
        return {self.name: torch.stack(longest).max()}

    def _parts(self, weight: Tensor) -> Iterator[tuple[Tensor, int]]:
        """Yield tensors with the axis along which units lie."""
        groups = self.transposed.get(id(weight))
        if groups is None:
            yield weight, 0
        else:
            yield from ((part, 1) for part in weight.detach().chunk(groups))
