"""The derivative by a model's input, itself to be differentiated by the weights."""

from typing import Any

import torch
from torch import Tensor

from nnlab.errors import UserError

NOT_COMPILED = {
    "compiled": "it differentiates a derivative, which torch.compile does not write"
}


def differentiable(batch: Any, *, where: str) -> tuple[Any, ...]:
    """Return the batch with a first tensor that gradients reach.

    Raises:
        UserError: where that is not of floating-point numbers.
    """
    parts = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    first = parts[0]
    if not isinstance(first, Tensor) or not first.is_floating_point():
        raise UserError(
            f"{where} needs the slope by the input, and this model's batches begin "
            "with whole numbers, which have none"
        )
    return first.detach().clone().requires_grad_(), *parts[1:]


def slope_by_input(value: Tensor, x: Tensor, scale: float) -> Tensor | None:
    """Return d value / dx, None where the value does not depend on x.

    On the way it is multiplied by `scale`, lest fp16 lose what is small.
    """
    if not value.requires_grad:
        return None
    found: tuple[Any, ...] = torch.autograd.grad(
        value * scale, x, create_graph=True, allow_unused=True
    )
    return None if found[0] is None else found[0].float() / scale
