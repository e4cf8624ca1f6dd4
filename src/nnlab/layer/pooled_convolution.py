"""A convolution, relu and max-pooling of 2x2, in 0.7 of torch's time on a CPU."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch._C._functorch import (  # pyright: ignore[reportPrivateUsage]
    is_functorch_wrapped_tensor,
    is_legacy_batchedtensor,
)
from torch.nn import functional as F
from torch.nn.modules.module import (
    _has_any_global_hook,  # pyright: ignore[reportPrivateUsage]
)

from nnlab.layer.four_places import at_four_places, from_four_places
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
        and type(x) is Tensor
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
        kernels = at_four_places(weight)
        y = F.conv2d(x, kernels, torch.cat([bias] * 4), stride=2, padding=padding)
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
        rows = _shared(gradient, to_lower)
        whole = _shared(rows, to_right)  # (batch, 4 maps, rows, columns)
        of_x, of_kernels, of_biases = _gradients(
            whole, x, kernels, 2, ctx.padding, [ctx.needs_input_grad[0], True, True]
        )
        of_weight = from_four_places(of_kernels)
        return of_x, of_weight, of_biases.view(4, -1).sum(0), None


def _shared(gradient: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of what is where x is above 0, then of what is elsewhere."""
    if torch.is_grad_enabled() or _is_wrapped(gradient) or _is_wrapped(x):
        one = _where_positive(gradient, x)
        return torch.cat([one, gradient - one], dim=1)
    batch, maps, *size = gradient.shape
    both = gradient.new_empty(batch, 2 * maps, *size)  # which nobody has to copy
    one, other = both[:, :maps], both[:, maps:]
    aten.threshold_backward.grad_input(gradient, x, 0, grad_input=one)
    torch.sub(gradient, one, out=other)
    return both


def _is_wrapped(x: Tensor) -> bool:
    """Whether it stands for many tensors, into which nothing can be written."""
    return is_functorch_wrapped_tensor(x) or is_legacy_batchedtensor(x)


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
            of_x = _of_maps(whole, x, weight, ctx.padding)
        wanted = [False, True, True]
        of_weight, of_bias = _gradients(
            whole, _channels_last(x), weight, 1, ctx.padding, wanted
        )[1:]
        return of_x, of_weight, of_bias, None


def _of_maps(gradient: Tensor, x: Tensor, weight: Tensor, padding: list[int]) -> Tensor:
    """Return the gradient of the maps x.

    Of up to eight maps, a processor's vectors of sixteen numbers would stay half empty:
    two rows are found at once, each by its own kernels, a row larger.
    """
    maps, rows = x.shape[1:3]
    sides = weight.shape[2:]
    around = [side - 1 - edge for side, edge in zip(sides, padding, strict=True)]
    if maps > 8 or rows % 2 or min(around) < 0:
        return _gradients(gradient, x, weight, 1, padding, [True, False, False])[0]
    turned = weight.flip(2, 3).transpose(0, 1)
    kernels = torch.cat([F.pad(turned, (0, 0, 0, 1)), F.pad(turned, (0, 0, 1, 0))])
    found = F.conv2d(gradient.contiguous(), kernels, stride=(2, 1), padding=around)
    upper_and_lower = found.unflatten(1, (2, maps)).permute(0, 2, 3, 1, 4)
    return upper_and_lower.reshape(x.shape)


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
