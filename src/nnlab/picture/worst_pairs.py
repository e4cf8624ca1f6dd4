"""The pairs whose distance is most at odds with their classes."""

import torch
from jaxtyping import Float, Int, Shaped
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.image_grid import image_grid

MOST = 8


def worst_pairs(
    first: Shaped[Tensor, "n height width"],
    second: Shaped[Tensor, "n height width"],
    labels: Int[Tensor, "n 2"],
    distances: Float[Tensor, " n"],
) -> Figure:
    """Draw the farthest pairs of one class, then the nearest of two; 8 of each at most.

    Args:
        first, second: grey images.
        labels: the classes of both.
        distances: how unlike the two are said to be.
    """
    is_same = labels[:, 0] == labels[:, 1]
    order = distances.argsort(stable=True)
    same, different = order[is_same[order]], order[~is_same[order]]
    shown = torch.cat([same.flip(0)[:MOST], different[:MOST]])
    sides = torch.cat([first[shown], second[shown]], dim=2)
    captions = [
        f"{int(labels[i, 0])} and {int(labels[i, 1])}: {distances[i].item():.2f}"
        for i in shown
    ]
    title = "the farthest pairs of one class, and the nearest of two"
    return image_grid(sides, titles=captions, title=title, columns=4)
