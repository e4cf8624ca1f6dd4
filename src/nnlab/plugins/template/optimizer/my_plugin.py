"""Gradient descent in which no weight moves by more than lr * limit a step."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override

from nnlab.limits import Positive


class MyPlugin(Optimizer):
    """Moves each weight against its gradient, cut to [-limit, limit]."""

    def __init__(
        self, parameters: Iterable[Tensor], *, lr: Positive, limit: Positive
    ) -> None:
        super().__init__(parameters, {"lr": lr, "limit": limit})

    @override
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            limit = group["limit"]
            for weight in group["params"]:
                if weight.grad is not None:
                    step = weight.grad.clamp(-limit, limit)
                    weight.add_(step, alpha=-group["lr"])
        return loss
