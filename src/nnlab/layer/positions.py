"""Where a token stands, as angles: added to it as waves, or turning what it asks."""

import torch
from jaxtyping import Float
from torch import Tensor


def position_angles(positions: int, size: int) -> Float[Tensor, "positions half"]:
    """Return an angle for each position and pair of features (Vaswani, section 3.5)."""
    speed = 10_000 ** -(torch.arange(0, size, 2) / size)
    return torch.outer(torch.arange(positions).float(), speed)


def rotate(
    x: Float[Tensor, "batch heads time size"], angles: Float[Tensor, "... time half"]
) -> Float[Tensor, "batch heads time size"]:
    """Turn pairs of features by their position: products then tell the distance.

    Su et al. 2021, https://arxiv.org/abs/2104.09864, equation 34; features i and i +
    half make a pair, as in LLaMA.
    """
    a, b = x.float().chunk(2, dim=-1)
    cosine, sine = angles.cos().unsqueeze(-3), angles.sin().unsqueeze(-3)  # all heads
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1).type_as(x)
