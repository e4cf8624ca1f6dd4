"""Vectors of many numbers as points of a plane, in the colours of two labels."""

import torch
from jaxtyping import Float, Shaped
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import BLUE, GREY, ORANGE, canvas, quieten

MOST_POINTS = 2000  # more hide each other


def labelled_plane(
    vectors: Float[Tensor, "n size"],
    labels: Shaped[Tensor, " n"],
    *,
    names: tuple[str, str],
    title: str,
) -> Figure:
    """Draw at least two vectors along the direction between the two labels' means.

    Across: that direction, on which a label that is held in the vectors is read off.
    Up: the direction of largest variance among those at right angles to it.

    Args:
        labels: 0 or 1 for each vector.
        names: of label 0 and 1.
        title: says what the vectors are.
    """
    vectors = vectors[:MOST_POINTS].detach().float().cpu()
    labels = labels[:MOST_POINTS].cpu() != 0
    centred = vectors - vectors.mean(dim=0)
    direction = torch.zeros(vectors.shape[1])
    if 0 < labels.sum() < len(labels):
        direction = centred[labels].mean(dim=0) - centred[~labels].mean(dim=0)
        direction = direction / direction.norm().clamp(min=1e-12)
    across = centred @ direction
    rest = centred - across[:, None] * direction
    up = rest @ torch.linalg.svd(rest, full_matrices=False).Vh[0]

    figure = canvas(4.6, 4.0)
    figure.suptitle(title, color=GREY, fontsize=10)
    axes = figure.add_subplot()
    for is_one, colour, marker, name in zip(
        (False, True), (BLUE, ORANGE), ("o", "s"), names, strict=True
    ):
        mine = labels == is_one
        axes.scatter(
            across[mine].numpy(),
            up[mine].numpy(),
            s=9,
            color=colour,
            marker=marker,
            alpha=0.5,
            linewidths=0,
            label=name,
        )
    axes.set(xlabel=f"from {names[0]} to {names[1]}", ylabel="largest variance besides")
    axes.locator_params(nbins=8)
    quieten(axes)
    axes.legend(
        loc="lower center",  # above the frame: within, it would hide points
        bbox_to_anchor=(0.5, 1),
        ncols=2,
        markerscale=2,
        frameon=False,
        labelcolor=GREY,
        fontsize=9,
    )
    return figure
