"""A convolution's weights at each of the four places of a window of 2x2.

As kernels a row and a column larger, zero elsewhere: with a stride of 2 they compute,
all at once, what the convolution finds at those places.
"""

from functools import lru_cache

import torch
from torch import Tensor


def at_four_places(weight: Tensor) -> Tensor:
    """Return kernels with the weights at the right and lower end, right and upper, ...

    (4 maps, channels, height + 1, width + 1)
    """
    maps, channels, height, width = weight.shape
    taken, _ = _places(maps, channels, height, width)
    numbers = torch.cat([weight.reshape(-1), weight.new_zeros(1)])
    kernels = numbers.index_select(0, taken)
    return kernels.view(4 * maps, channels, height + 1, width + 1)


def from_four_places(kernels: Tensor) -> Tensor:
    """Return what is at the weights' place of each kernel, added."""
    maps, channels, height, width = kernels.shape
    shape = (maps // 4, channels, height - 1, width - 1)
    _, put = _places(*shape)
    return kernels.reshape(-1).index_select(0, put).view(4, *shape).sum(0)


@lru_cache(maxsize=8)
@torch.inference_mode(mode=False)  # else autograd could not keep it
def _places(maps: int, channels: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return which weight each number of the kernels is, and where each weight is put.

    What is no weight is numbered as if it came behind the last.
    """
    count = maps * channels * height * width
    weight = torch.arange(count, device="cpu").view(maps, channels, height, width)
    taken = torch.full((4, maps, channels, height + 1, width + 1), count, device="cpu")
    for place, (down, right) in enumerate(((1, 1), (0, 1), (1, 0), (0, 0))):
        taken[place, :, :, down : down + height, right : right + width] = weight
    flat = taken.flatten()
    put = (flat < count).nonzero().flatten()  # of each kernel in the weights' order
    return flat, put
