"""A parametrized weight under its plain name: in checkpoints, and when it is over."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


def source_of(layer: nn.Module, name: str) -> parametrize.ParametrizationList:
    """Return what computes a layer's parametrized weight."""
    found = getattr(layer.parametrizations, name)
    assert isinstance(found, parametrize.ParametrizationList)
    return found


@torch.no_grad()
def _value(layer: nn.Module, name: str) -> Tensor:
    """Return the weight as it is used in evaluation; changes nothing."""
    source = source_of(layer, name)
    was_training = source.training
    source.eval()  # else spectral norm moves on, and dropped connections are zeros
    value = source().detach().clone()
    source.train(was_training)
    return value


def save_plainly(
    name: str, layer: nn.Module, state: dict[str, Any], prefix: str, *_: Any
) -> None:
    """Put the weight as it is used into a state dict, for what it is computed from."""
    for key in source_of(layer, name).state_dict():
        del state[f"{prefix}parametrizations.{name}.{key}"]
    state[f"{prefix}{name}"] = _value(layer, name)


@torch.no_grad()
def load_plainly(
    name: str, layer: nn.Module, state: dict[str, Any], prefix: str, *_: Any
) -> None:
    """Take the plain weight out of a state dict that is about to be loaded."""
    if f"{prefix}{name}" not in state:
        return
    setattr(layer, name, state.pop(f"{prefix}{name}").to(getattr(layer, name).device))
    for key, tensor in source_of(layer, name).state_dict().items():
        state[f"{prefix}parametrizations.{name}.{key}"] = tensor


def bake(layer: nn.Module, name: str) -> None:
    """Leave the layer with a plain weight, as it was used."""
    source = source_of(layer, name)
    source.eval()
    # With gradients on: torch makes a buffer of what needs none.
    parametrize.remove_parametrizations(layer, name, leave_parametrized=True)


def tidying(layer: nn.Module) -> Callable[[], None]:
    """Return what undoes the traces that torch's own removal leaves in a layer.

    The weight goes back to its place among the others, and a hook that weight norm
    registers for checkpoints of old goes.
    """
    order = [*layer._parameters]  # pyright: ignore[reportPrivateUsage]
    known = {*layer._load_state_dict_pre_hooks}  # pyright: ignore[reportPrivateUsage]

    def tidy() -> None:
        own = layer._parameters  # pyright: ignore[reportPrivateUsage]
        hooks = layer._load_state_dict_pre_hooks  # pyright: ignore[reportPrivateUsage]
        for name in order:
            own[name] = own.pop(name)
        for key in {*hooks} - known:
            del hooks[key]

    return tidy
