"""Weight norm: how long a unit's weights are is learned apart from where they point.

Salimans & Kingma (2016), "Weight Normalization: A Simple Reparameterization to
Accelerate Training of Deep Neural Networks", https://arxiv.org/abs/1602.07868,
equation 2.

    w = g v / |v|    for each unit: g and v are learned

Stage: forward pass, as torch's own parametrization. It begins as the same network;
other regularizers meet g as `<layer>.weight` and v as `<layer>.weight_direction`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nnlab.regularizer import ParametrizedRegularizer


class WeightNorm(ParametrizedRegularizer):
    """Learns lengths and directions of weights; logs the mean length."""

    def parametrize(self, layer: nn.Module, name: str) -> None:
        is_transposed = getattr(layer, "transposed", False)
        axis = 1 if is_transposed else 0  # along which the units lie
        units = layer.get_parameter(name).movedim(axis, 0).flatten(1)
        self.check_length(layer, name, units)
        parametrizations.weight_norm(layer, name, dim=axis)

    @torch.no_grad()
    def numbers(self) -> Mapping[str, Tensor | float]:
        sources = self.sources.values()
        lengths = [source.state_dict()["original0"].abs() for source in sources]
        return (
            {self.name: torch.cat([x.flatten() for x in lengths]).mean()}
            if lengths
            else {}
        )
