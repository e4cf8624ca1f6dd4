"""Linear layers by oneDNN instead of MKL, which is slow on AMD's processors."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from typing_extensions import override


class OneDNN(Callback):
    """Lets every linear layer train by oneDNN, on a processor where that is faster.

    On an AMD EPYC with AVX-512, GPT's matrices take 0.6 of MKL's time. PyTorch offers
    oneDNN for dense 32-bit floats only by an operator of its compiler's; where that is
    missing, or computes something else, nothing is changed. Evaluation stays with MKL,
    so that a checkpoint gives the same metric wherever it is tested.
    """

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit" or trainer.strategy.root_device.type != "cpu":
            return
        if is_amd() and is_right():
            for module in pl_module.modules():
                if type(module) is nn.Linear:
                    # beside the class, so that names, hooks and checkpoints stay
                    module.forward = partial(forward, module)  # pyright: ignore


def forward(
    layer: nn.Linear, x: Float[Tensor, "... inputs"]
) -> Float[Tensor, "... outputs"]:
    """Compute the layer; by oneDNN where a gradient is wanted of 32-bit floats."""
    is_plain = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    is_plain &= not torch.compiler.is_compiling()  # it refuses weights that change
    if is_plain and torch.is_grad_enabled() and layer.weight.requires_grad:
        return Linear.apply(x, layer.weight, layer.bias)  # pyright: ignore
    return F.linear(x, layer.weight, layer.bias)


class Linear(torch.autograd.Function):
    """x W^T + b and its gradients, each a product of oneDNN's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        return product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore
        x, weight = ctx.saved_tensors
        rows = gradients[0].flatten(0, -2)  # (examples, outputs)
        of_x = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = product(rows, weight.T).view_as(x)
        of_weight = _of_weight(rows, x.flatten(0, -2))
        if ctx.has_bias:
            of_bias = rows.sum(0)
        return of_x, of_weight, of_bias


def _of_weight(rows: Tensor, x: Tensor) -> Tensor:
    """Return rows^T x (outputs, inputs).

    The operator wants its first factor's rows in one piece, and turns the second one
    itself, faster than torch does: so the smaller of the two is the first.
    """
    if rows.shape[1] <= x.shape[1]:
        return product(rows.T, x.T)
    return product(x.T, rows.T).T.contiguous()


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x W^T + b."""
    operator: Callable[..., Tensor] = torch.ops.mkldnn._linear_pointwise
    return operator(x.contiguous(), weight, bias, "none", [], "")


def is_amd() -> bool:
    """Whether this processor is one on which MKL was measured to be slow."""
    file = Path("/proc/cpuinfo")
    return file.is_file() and "AuthenticAMD" in file.read_text(encoding="utf-8")


def is_right() -> bool:
    """Whether the operator is there and computes what it should."""
    generator = torch.Generator().manual_seed(0)
    x, weight, bias, turned = (
        torch.randn(*shape, generator=generator)
        for shape in ((5, 3), (7, 3), (7,), (3, 7))
    )
    try:
        return all(
            torch.allclose(product(x, w, b), F.linear(x, w, b), atol=1e-5)
            for w, b in ((weight, bias), (weight, None), (turned.T, None))
        )
    except (AttributeError, RuntimeError, TypeError):
        return False
