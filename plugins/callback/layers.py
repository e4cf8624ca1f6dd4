"""A model's layers by name, and what happened in each of them."""

import re

from lightning import LightningModule
from torch import nn

PARAMETRIZED = re.compile(r"\.parametrizations\..*$")


def layer_of(weight: str) -> str:
    """Return the layer's name of a weight's: `hidden.0` of `hidden.0.weight`."""
    plain = PARAMETRIZED.sub("", weight)
    return plain if plain != weight else weight.rpartition(".")[0] or weight


def weights_by_layer(model: LightningModule) -> dict[str, list[nn.Parameter]]:
    """Return what the model trains, by layer, in the order of their definition."""
    found: dict[str, list[nn.Parameter]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            found.setdefault(layer_of(name), []).append(weight)
    return found


def leaves(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that have no modules inside, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if name and not any(module.children())
    }
