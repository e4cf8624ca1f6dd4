"""Spectral norm: each layer's largest singular value is held at 1.

Miyato, Kataoka, Koyama & Yoshida (2018), "Spectral Normalization for Generative
Adversarial Networks", https://arxiv.org/abs/1802.05957, algorithm 1.

    W / s(W),  s(W) = u^T W v from `iterations` of the power method a forward pass

Stage: forward pass, as torch's own parametrization.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nnlab.limits import Count
from nnlab.regularizer import ParametrizedRegularizer


class SpectralNorm(ParametrizedRegularizer):
    """Divides weights by their largest singular value; logs the largest of these."""

    def __init__(
        self, *, iterations: Count, include: list[str] | None, exclude: list[str]
    ) -> None:
        super().__init__(include=include, exclude=exclude)
        self.iterations = iterations

    def parametrize(self, layer: nn.Module, name: str) -> None:
        self.check_length(layer, name, layer.get_parameter(name).flatten()[None])
        parametrizations.spectral_norm(layer, name, n_power_iterations=self.iterations)

    @torch.no_grad()
    def numbers(self) -> Mapping[str, Tensor | float]:
        largest = [
            torch.linalg.matrix_norm(source.original.flatten(1).float(), 2)
            for source in self.sources.values()
        ]
        return {self.name: torch.stack(largest).max()} if largest else {}
