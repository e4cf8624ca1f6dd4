"""Who gathers how much from whom, of attention that computes its weights explicitly."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@torch.no_grad()
def attention_weights(
    model: nn.Module, tokens: Int[Tensor, "batch time"]
) -> Float[Tensor, "layers batch heads time seen"]:
    """Return how much each token gathers from each one, layer by layer.

    Layers with a switch `is_explicit` are switched on meanwhile; they keep `weights`.
    """
    layers: list[Any] = [each for each in model.modules() if has_switch(each)]
    before = [layer.is_explicit for layer in layers]
    for layer in layers:
        layer.is_explicit = True
    model(tokens)
    for layer, was_explicit in zip(layers, before, strict=True):
        layer.is_explicit = was_explicit
    return torch.stack([layer.weights for layer in layers])


def has_switch(module: nn.Module) -> bool:
    """Return whether it is attention that can keep its weights."""
    return hasattr(module, "is_explicit")
