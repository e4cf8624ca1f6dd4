"""The pairs whose distance is most at odds with their classes."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Shaped
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import name_of
from nnlab.picture.image_grid import image_grid

MOST = 8


def worst_pairs(
    first: Shaped[Tensor, "n height width"],
    second: Shaped[Tensor, "n height width"],
    labels: Int[Tensor, "n 2"],
    distances: Float[Tensor, " n"],
    names: Sequence[str] = (),
) -> Figure:
    """Draw the farthest pairs of one class, then the nearest of two; 8 of each at most.

    Args:
        first, second: grey images.
        labels: the classes of both.
        distances: how unlike the two are said to be.
        names: what the classes stand for.
    """
    is_same = labels[:, 0] == labels[:, 1]
    order = distances.argsort(stable=True)
    same, different = order[is_same[order]], order[~is_same[order]]
    shown = torch.cat([same.flip(0)[:MOST], different[:MOST]])
    sides = torch.cat([first[shown], second[shown]], dim=2)
    captions = [
        f"{name_of(one, names)} and {name_of(other, names)}: {apart:.2f}"
        for (one, other), apart in zip(
            labels[shown].tolist(), distances[shown].tolist(), strict=True
        )
    ]
    title = "the farthest pairs of one class, then the nearest of two: distance"
    return image_grid(sides, titles=captions, title=title, columns=4)
