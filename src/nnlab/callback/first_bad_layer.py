"""Where a loss that is no number comes from: the batch again, layer by layer."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn

from nnlab.learner import Learner
from nnlab.memory import is_out_of_memory


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether all of them are finite, with one look at the device."""
    found = [each.detach().isfinite().all() for each in tensors]
    device = found[0].device if found else None
    return (
        bool(torch.stack([each.to(device) for each in found]).all()) if found else True
    )


def first_bad_layer(
    trainer: Trainer, module: LightningModule, batch: Any, batch_index: int
) -> str:
    """Return what is first not finite in the batch's forward pass, in a few words.

    The pass is made again, with the same random numbers and in the same precision, and
    nothing learns from it. Layers that a loss applies as functions have no name: the
    first one after them is said then.
    """
    if not all_finite(part for part in _tensors(batch) if part.is_floating_point()):
        return "the batch itself holds values that are not finite"
    assert isinstance(module, Learner)
    found: list[str] = []
    hooks = [
        layer.register_forward_hook(partial(_look, found, name))
        for name, layer in module.named_modules()
        if name and not any(layer.children())
    ]
    try:
        with torch.enable_grad(), trainer.precision_plugin.forward_context():
            module.on_train_batch_start(batch, batch_index)  # the same random numbers
            type(module).measure(module, batch)  # not the compiled one
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return "there is no memory left to look for the layer"
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else "every layer is finite, so it is in the loss itself"


def _look(
    found: list[str], name: str, layer: nn.Module, inputs: Any, output: Any
) -> None:
    if found or all_finite(_tensors(output)):
        return
    kind = f"{name} ({type(layer).__name__})"
    if not all_finite(layer.parameters()):
        found.append(f"the weights of {kind} are not finite")
    elif not all_finite(_tensors(inputs)):
        found.append(f"what comes before {kind} is not finite")
    else:
        found.append(f"{kind} is the first layer whose output is not finite")


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
