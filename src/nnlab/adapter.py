"""An adapter: the changes that LoRA learned, in a file of their own.

A safetensors file with `<layer>.a` (rank, inputs) and `<layer>.b` (outputs, rank),
named as in the model. It goes onto any model with layers of those names and sizes.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from nnlab.errors import UserError
from nnlab.layer.lora import LowRankLinear
from nnlab.pretrained.safetensors import read_safetensors, write_safetensors

FILE = "adapter.safetensors"


def changes_of(model: nn.Module) -> dict[str, Tensor]:
    """Return what LoRA learned, by name, and nothing of what it changes.

    Raises:
        UserError: where the model has no such layers.
    """
    changes = {
        f"{name}.{part}": getattr(layer, part).detach()
        for name, layer in model.named_modules()
        if isinstance(layer, LowRankLinear)
        for part in ("a", "b")
    }
    if not changes:
        raise UserError(
            "adapter=true is for a run of LoRA, and this one learned whole matrices; "
            "train with model.lora_rank above 0"
        )
    return changes


def save_adapter(changes: Mapping[str, Tensor], folder: Path) -> None:
    """Write changes into a folder."""
    write_safetensors(folder / FILE, changes)


@torch.no_grad()
def load_adapter(model: nn.Module, place: Path) -> None:
    """Put the changes of a file, or of the folder it is in, onto a model's layers.

    They replace those that a layer has.

    Raises:
        UserError: where the file is no adapter, or a layer of it does not fit.
    """
    file = place / FILE if place.is_dir() else place
    changes = read_safetensors(file)
    layers = {name.rpartition(".")[0] for name in changes}
    if changes.keys() != {f"{layer}.{part}" for layer in layers for part in "ab"}:
        raise UserError(f"adapter={place} is no adapter: it holds other weights")
    linear = dict(model.named_modules())
    for name in sorted(layers):
        _put(model, name, linear.get(name), changes, place)


def _put(
    model: nn.Module,
    name: str,
    layer: nn.Module | None,
    changes: Mapping[str, Tensor],
    place: Path,
) -> None:
    a, b = changes[f"{name}.a"], changes[f"{name}.b"]
    if not isinstance(layer, nn.Linear):
        raise UserError(
            f"adapter={place} changes {name}, which the model does not have"
        )
    wanted = (len(a), layer.in_features), (layer.out_features, len(a))
    if (tuple(a.shape), tuple(b.shape)) != wanted:
        raise UserError(
            f"adapter={place} changes a matrix of {len(b)} x {a.shape[-1]}, and the "
            f"model's {name} has {layer.out_features} x {layer.in_features}"
        )
    changed = LowRankLinear(layer, rank=len(a))
    changed.a.copy_(a)
    changed.b.copy_(b)
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, changed)
