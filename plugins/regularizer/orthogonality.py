"""Soft orthogonality: the units of a layer are kept apart from each other.

Bansal, Chen & Wang (2018), "Can We Gain More from Orthogonality Regularizations in
Training Deep CNNs?", https://arxiv.org/abs/1810.09102, equation 2.

    L' = L + weight * sum |W W^T - I|^2        gradient: 4 weight (W W^T - I) W

W is a layer's weight as a matrix with a row a unit; of its two products the smaller is
taken, W^T W where there are more units than inputs: only so many can be orthogonal.
Stage: gradients.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.limits import NonNegative
from nnlab.regularizer import WeightRegularizer


class Orthogonality(WeightRegularizer):
    """Adds how far matrices and filters are from orthonormal; logs it."""

    not_with: ClassVar[Mapping[str, str]] = {"sharded": "it multiplies whole matrices"}

    def __init__(
        self, *, weight: NonNegative, include: list[str], exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.weight = weight

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_fit_start(trainer, pl_module)
        self.weights = {name: w for name, w in self.weights.items() if w.ndim > 1}
        if not self.weights:
            raise UserError(f"{self.where}.include matches no matrix and no filter")

    def penalty(self, weight: Tensor) -> Tensor:
        return self.weight * _beyond_identity(_wide(weight)).square().sum()

    def gradient(self, weight: Tensor) -> Tensor:
        wide = _wide(weight)
        slope = 4 * self.weight * (_beyond_identity(wide) @ wide)
        is_turned = weight.shape[0] > weight[0].numel()
        return (slope.T if is_turned else slope).reshape(weight.shape).to(weight.dtype)


def _wide(weight: Tensor) -> Tensor:
    """Return the weight as a float32 matrix with at least as many columns as rows."""
    matrix = weight.flatten(1).float()
    return matrix.T if matrix.shape[0] > matrix.shape[1] else matrix


def _beyond_identity(wide: Tensor) -> Tensor:
    return wide @ wide.T - torch.eye(len(wide), device=wide.device)
