"""What a decoder makes of codes on a plane: neighbours look alike."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.mosaic import mosaic


def latent_grid(
    decode: Callable[[Tensor], Float[Tensor, "n 1 height width"]],
    code: Float[Tensor, "m code"],
    *,
    size: int = 12,
) -> Figure:
    """Draw `size` rows of as many decoded codes.

    Of two numbers, codes that divide the normal distribution evenly (Kingma & Welling
    2014, figure 4); of any other count, codes between four examples' at the corners.
    """
    if code.shape[1] == 2:
        plane = _evenly_in_normal(size)
        title = "decoded from codes across the normal distribution"
    else:
        plane = _between(code[torch.arange(4) % len(code)], size)
        title = "decoded from codes between four images', in the corners"
    return mosaic(decode(plane.to(code)).squeeze(1), columns=size, title=title)


def _evenly_in_normal(size: int) -> Float[Tensor, "n 2"]:
    steps = torch.special.ndtri((torch.arange(size) + 0.5) / size)
    return torch.cartesian_prod(-steps, steps).flip(1)  # (right, up), row by row


def _between(corners: Float[Tensor, "4 code"], size: int) -> Float[Tensor, "n code"]:
    a, b, c, d = corners
    down = torch.linspace(0, 1, size).to(corners).view(size, 1, 1)
    right = down.view(1, size, 1)
    top, bottom = a + right * (b - a), c + right * (d - c)  # (1, size, code)
    return (top + down * (bottom - top)).flatten(0, 1)
