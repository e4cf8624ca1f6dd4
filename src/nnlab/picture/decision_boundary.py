"""The plane as a classifier of two inputs sees it."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import BLUE, DIVERGING, GREY, ORANGE, canvas, quieten

MOST_POINTS = 400  # more hide the field
RESOLUTION = 201  # field values along each axis
LINE = "#26292e"  # on the field, which is light along the boundary on every page


def decision_boundary(
    probability: Callable[[Float[Tensor, "grid 2"]], Float[Tensor, " grid"]],
    points: Float[Tensor, "n 2"],
    labels: Shaped[Tensor, " n"],
) -> Figure:
    """Draw P(class 1) over the plane, the line where it is one half, and the points.

    Args:
        probability: gives P(class 1) for each row (x1, x2); called once, without
            gradients, on the device of `points`.
        points: the examples; the picture is a third wider than they are.
        labels: 0 or 1 for each point.
    """
    across, up = _axis(points[:, 0]), _axis(points[:, 1])
    rows, columns = torch.meshgrid(up, across, indexing="ij")
    with torch.no_grad():
        field = probability(torch.stack([columns, rows], dim=-1).reshape(-1, 2))
    field = field.reshape(RESOLUTION, RESOLUTION).float().cpu().clamp(0, 1)

    figure = canvas(5.2, 4.4)
    axes = figure.add_subplot()
    place = (across.cpu().numpy(), up.cpu().numpy())
    shades = axes.contourf(
        *place, field.numpy(), levels=torch.linspace(0, 1, 21).tolist(), cmap=DIVERGING
    )
    if field.min() < 0.5 < field.max():
        axes.contour(*place, field.numpy(), levels=[0.5], colors=LINE, linewidths=2)
    _mark(axes, points[:MOST_POINTS].float().cpu(), labels[:MOST_POINTS].cpu())
    axes.set(xlabel="x1", ylabel="x2")
    quieten(axes)
    bar = figure.colorbar(shades, ax=axes, ticks=[0, 0.5, 1], aspect=30)
    bar.set_label("P(class 1)", color=GREY)
    bar.ax.tick_params(colors=GREY, labelsize=9)
    bar.outline.set_visible(False)
    return figure


def _axis(values: Float[Tensor, " n"]) -> Float[Tensor, " grid"]:
    low, high = values.min().float(), values.max().float()
    margin = (high - low) / 6 if high > low else torch.ones_like(low)
    steps = torch.linspace(0, 1, RESOLUTION, device=values.device)
    return low - margin + steps * (high - low + 2 * margin)


def _mark(
    axes: Axes, points: Float[Tensor, "n 2"], labels: Shaped[Tensor, " n"]
) -> None:
    size = 130 if len(points) <= 16 else 34
    for label, marker, colour in ((0, "o", BLUE), (1, "s", ORANGE)):
        mine: Int[Tensor, " of_class"] = (labels == label).nonzero()[:, 0]
        axes.scatter(
            *points[mine].T.numpy(),
            marker=marker,
            s=size,
            color=colour,
            edgecolors="white",
            linewidths=1.2,
            label=f"class {label}",
            zorder=3,
        )
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=2,
        frameon=False,
        labelcolor=GREY,
        fontsize=9,
        markerscale=9 / size**0.5,
    )
