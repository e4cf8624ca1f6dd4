"""Which tensors of a batch a model is shown; shared by what changes them."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nnlab.errors import UserError


def change_inputs(
    batch: Any, change: Callable[[Tensor], Tensor], *, where: str
) -> tuple[Any, ...]:
    """Return the batch with its first tensor changed, and images of its form beside it.

    So both images of a pair are changed, and no label and no wanted number is.

    Raises:
        UserError: where the batch is not of floating-point numbers.
    """
    parts = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    first = parts[0]
    if not isinstance(first, Tensor) or not first.is_floating_point():
        kind = getattr(first, "dtype", type(first).__name__)
        raise UserError(
            f"{where} changes inputs that are real numbers, and this model's batches "
            f"begin with {str(kind).removeprefix('torch.')}"
        )
    is_input = [
        index == 0
        or (isinstance(part, Tensor) and part.ndim >= 3 and part.shape == first.shape)
        for index, part in enumerate(parts)
    ]
    return tuple(
        change(part) if changes else part
        for part, changes in zip(parts, is_input, strict=True)
    )


def check_images(x: Any, *, where: str) -> tuple[int, int]:
    """Return height and width of a batch of images.

    Raises:
        UserError: where it is of no images.
    """
    if not isinstance(x, Tensor) or x.ndim != 4 or not x.is_floating_point():
        form = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise UserError(
            f"{where} cuts from images, (batch, channels, height, width), and this "
            f"model's batches begin with {form}"
        )
    return x.shape[2], x.shape[3]
