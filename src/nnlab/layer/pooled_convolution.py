"""A convolution, relu and max-pooling of 2x2, in 0.7 of torch's time on a CPU."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import (
    _has_any_global_hook,  # pyright: ignore[reportPrivateUsage]
)

from nnlab.layer.max_pool import MaxPool2x2

Images = Float[Tensor, "batch channels height width"]
Maps = Float[Tensor, "batch maps rows columns"]

aten = torch.ops.aten


def pooled_convolution(convolution: nn.Module, pool: nn.Module, x: Images) -> Maps:
    """Return `pool(convolution(x).relu())`, where the pool is of 2x2.

    A CPU takes the maximum first, which is the same and leaves relu less, in the ways
    that oneDNN is fastest at; numbers and gradients are torch's to rounding. What is
    not plain (another device or type, no oneDNN, hooks, strides, odd sizes) is torch's:
    who watches a layer may so change its numbers in their last bit.
    """
    if not (
        isinstance(convolution, nn.Conv2d)
        and _is_plain(convolution, x)
        and type(pool) is MaxPool2x2
        and not _is_watched(pool)
    ):
        return pool(convolution(x).relu())
    way = _First if x.shape[1] == 1 and not x.requires_grad else _Inner
    padding: Any = convolution.padding
    maps, *_ = way.apply(x, convolution.weight, convolution.bias, [*padding])  # pyright: ignore[reportGeneralTypeIssues]
    return maps


def _is_plain(convolution: nn.Conv2d, x: Tensor) -> bool:
    kernel, padding = convolution.kernel_size, convolution.padding
    return (
        not (torch.compiler.is_compiling() or torch.jit.is_tracing())  # pyright: ignore
        and x.device.type == "cpu"
        and type(convolution) is nn.Conv2d
        and convolution.bias is not None
        and "forward" not in vars(convolution)
        and not _is_watched(convolution)
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.enabled  # oneDNN, which flops.py switches off
        and convolution.weight.dtype in (torch.float32, torch.float64)
        and convolution.stride == convolution.dilation == (1, 1)
        and convolution.groups == 1
        and convolution.padding_mode == "zeros"
        and not isinstance(padding, str)
        and not any(
            (size + 2 * edge - side + 1) % 2
            for size, edge, side in zip(x.shape[2:], padding, kernel, strict=True)
        )
    )


def _is_watched(module: nn.Module) -> bool:
    """Whether somebody wants to be called when the module is, or any module."""
    before_and_after = ("forward_pre", "forward", "backward_pre", "backward")
    hooks = [getattr(module, f"_{when}_hooks") for when in before_and_after]
    return any(hooks) or bool(_has_any_global_hook())


class _First(torch.autograd.Function):
    """Of grey images, which need no gradient: four convolutions of stride 2.

    Each computes one place of the windows, all in one call: four times the maps fill
    a processor's vectors that six leave half empty, and the maximum goes over whole
    maps. The kernel, a row and a column larger, holds the weights at that place.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor, bias: Tensor, padding: list[int]
    ) -> tuple[Tensor, ...]:
        maps = len(weight)
        kernels = _at_four_places(weight)
        y = F.conv2d(x, kernels, bias.repeat(4), stride=2, padding=padding)
        right, left = y[:, : 2 * maps], y[:, 2 * maps :]
        row = torch.maximum(left, right)  # (batch, 2 maps, rows, columns)
        lower, upper = row[:, :maps], row[:, maps:]
        largest = torch.maximum(upper, lower).relu_()
        return largest, right - left, lower - upper, kernels

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, _, _, ctx.padding = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(x, *output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, largest, to_right, to_lower, kernels = ctx.saved_tensors
        gradient = _where_positive(gradient, largest)
        lower = _where_positive(gradient, to_lower)
        row = torch.cat([lower, gradient - lower], dim=1)
        right = _where_positive(row, to_right)
        whole = torch.cat([right, row - right], dim=1)  # (batch, 4 maps, rows, columns)
        of_x, of_kernels, of_biases = _gradients(
            whole, x, kernels, 2, ctx.padding, [ctx.needs_input_grad[0], True, True]
        )
        of_weight = _from_four_places(of_kernels)
        return of_x, of_weight, of_biases.view(4, -1).sum(0), None


def _at_four_places(weight: Tensor) -> Tensor:
    """Return kernels with the weights at the right and lower end, right and upper, ...

    (4 maps, channels, height + 1, width + 1)
    """
    height, width = weight.shape[2:]
    windows = F.pad(weight, (1, 1, 1, 1)).unfold(2, height + 1, 1)
    windows = windows.unfold(3, width + 1, 1)  # (maps, channels, 2, 2, ...)
    return windows.permute(3, 2, 0, 1, 4, 5).flatten(0, 2)


def _from_four_places(kernels: Tensor) -> Tensor:
    """Return what is at the weights' place of each kernel, added."""
    maps = len(kernels) // 4
    one, two, three, four = kernels.split(maps)
    upper, lower = slice(None, -1), slice(1, None)
    return (
        one[..., lower, lower]
        + two[..., upper, lower]
        + three[..., lower, upper]
        + four[..., upper, upper]
    )


class _Inner(torch.autograd.Function):
    """Of maps, which need a gradient: each part in the layout that is its fastest.

    oneDNN convolves, and finds the maps' gradient, plane by plane; torch pools, and
    oneDNN finds the weights' gradient, place by place (channels last).
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor, bias: Tensor, padding: list[int]
    ) -> tuple[Tensor, ...]:
        y = _channels_last(F.conv2d(x, weight, bias, padding=padding))
        maps, places = aten.max_pool2d_with_indices.default(y, [2, 2], [2, 2])
        return maps.relu_(), places, y

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, weight, _, ctx.padding = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(x, weight, *output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight, maps, places, y = ctx.saved_tensors
        whole: Tensor = aten.max_pool2d_with_indices_backward.default(
            *(_where_positive(gradient, maps), y),
            *([2, 2], [2, 2], [0, 0], [1, 1], False, places),
        )
        of_x = None
        if ctx.needs_input_grad[0]:
            wanted = [True, False, False]
            of_x = _gradients(whole, x, weight, 1, ctx.padding, wanted)[0]
        wanted = [False, True, True]
        of_weight, of_bias = _gradients(
            whole, _channels_last(x), weight, 1, ctx.padding, wanted
        )[1:]
        return of_x, of_weight, of_bias, None


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def _where_positive(gradient: Tensor, x: Tensor) -> Tensor:
    """Return the gradient where x is above 0, and 0 elsewhere."""
    return aten.threshold_backward.default(gradient, x, 0)


def _gradients(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    stride: int,
    padding: list[int],
    wanted: list[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of x, the weight and the bias that are wanted."""
    return aten.convolution_backward.default(
        *(gradient, x, weight, [len(weight)], [stride, stride], padding),
        *([1, 1], False, [0, 0], 1, wanted),
    )
