"""The plane as a classifier of two inputs sees it.

It is drawn again and again while a network trains. So every part has its place, in
inches: matplotlib's search for one, its ticks, its legend and its colour bar would take
twice the time of all the rest.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from nnlab.picture.canvas import (
    BLUE,
    DIVERGING,
    GREY,
    ORANGE,
    canvas,
    quieten_frame,
)
from nnlab.picture.scale import linear

MOST_POINTS = 400  # more hide the field
RESOLUTION = 161  # field values along each axis
ROWS = 4096  # that are asked for at once: more do not stay in a processor's cache
LINE = "#26292e"  # on the field, which is light along the boundary on every page
WIDTH, HEIGHT = 5.2, 4.4
LEFT, RIGHT, BOTTOM, TOP = 0.66, 4.34, 0.46, 4.05  # of the frame
LEVELS = 20  # colours
CLASSES = ((0, "o", BLUE), (1, "s", ORANGE))  # label, marker, colour


def decision_boundary(
    probability: Callable[[Float[Tensor, "grid 2"]], Float[Tensor, " grid"]],
    points: Float[Tensor, "n 2"],
    labels: Shaped[Tensor, " n"],
) -> Figure:
    """Draw P(class 1) over the plane, the line where it is one half, and the points.

    Args:
        probability: gives P(class 1) for each row (x1, x2), for some thousand at a
            time; called without gradients, on the device of `points`.
        points: the examples; the picture is a third wider than they are.
        labels: 0 or 1 for each point.
    """
    across, up = _axis(points[:, 0]), _axis(points[:, 1])
    rows, columns = torch.meshgrid(up, across, indexing="ij")
    plane = torch.stack([columns, rows], dim=-1).reshape(-1, 2)
    with torch.no_grad():
        field = torch.cat([probability(part) for part in plane.split(ROWS)])
    field = field.reshape(RESOLUTION, RESOLUTION).float().cpu().clamp(0, 1)

    figure = canvas(WIDTH, HEIGHT, layout=None)
    axes = figure.add_axes(_part(LEFT, BOTTOM, RIGHT, TOP))
    place = (across.cpu().numpy(), up.cpu().numpy())
    levels = torch.linspace(0, 1, LEVELS + 1).tolist()
    axes.contourf(*place, field.numpy(), levels=levels, cmap=DIVERGING)
    if field.min() < 0.5 < field.max():
        axes.contour(*place, field.numpy(), levels=[0.5], colors=LINE, linewidths=2)
    _mark(axes, points[:MOST_POINTS].float().cpu(), labels[:MOST_POINTS].cpu())
    quieten_frame(axes)
    _number(axes)
    _explain_colours(figure)
    _explain_marks(figure)
    return figure


def _part(
    left: float, bottom: float, right: float, top: float
) -> tuple[float, float, float, float]:
    """Return a place in inches as shares of the figure: where from, how far."""
    width, height = right - left, top - bottom
    return left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT


def _axis(values: Float[Tensor, " n"]) -> Float[Tensor, " grid"]:
    low, high = values.min().float(), values.max().float()
    margin = (high - low) / 6 if high > low else torch.ones_like(low)
    steps = torch.linspace(0, 1, RESOLUTION, device=values.device)
    return low - margin + steps * (high - low + 2 * margin)


def _mark(
    axes: Axes, points: Float[Tensor, "n 2"], labels: Shaped[Tensor, " n"]
) -> None:
    for label, marker, colour in CLASSES:
        mine: Int[Tensor, " of_class"] = (labels == label).nonzero()[:, 0]
        axes.scatter(
            *points[mine].T.numpy(),
            marker=marker,
            s=130 if len(points) <= 16 else 34,
            color=colour,
            edgecolors="white",
            linewidths=1.2,
            label=f"class {label}",
            zorder=3,
        )


def _number(axes: Axes) -> None:
    """Write the numbers below and beside the frame, and what they are of."""
    axes.xaxis.set_visible(False)
    axes.yaxis.set_visible(False)
    marks: list[list[tuple[float, float]]] = []
    inch = 1 / (TOP - BOTTOM)  # as a share of the frame, as all places here
    scale = linear(*axes.get_xlim(), is_tight=True)
    for value, text in scale.ticks.items():
        x = scale.share(value)
        marks.append([(x, 0), (x, -0.05 * inch)])
        _write(axes, x, -0.1 * inch, text, va="top")
    _write(axes, 0.5, -0.35 * inch, "x1", va="center", fontsize=10)
    inch = 1 / (RIGHT - LEFT)
    scale = linear(*axes.get_ylim(), is_tight=True)
    for value, text in scale.ticks.items():
        y = scale.share(value)
        marks.append([(0, y), (-0.05 * inch, y)])
        _write(axes, -0.1 * inch, y, text, ha="right", va="center_baseline")
    _write(axes, -0.5 * inch, 0.5, "x2", va="center", fontsize=10, rotation=90)
    lines = LineCollection(
        marks, colors=GREY, linewidths=0.8, transform=axes.transAxes, clip_on=False
    )
    axes.add_artist(lines)


def _write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    look = {"ha": "center", "fontsize": 9, "color": GREY, **look}
    axes.text(x, y, text, transform=axes.transAxes, **look)


def _explain_colours(figure: Figure) -> None:
    """Draw the colours as a strip beside the frame, from 0 to 1."""
    left, bottom, width, height = _part(RIGHT + 0.19, BOTTOM, RIGHT + 0.31, TOP)
    step, right = height / LEVELS, left + width
    bottoms = [bottom + level * step for level in range(LEVELS)]
    corners = [
        [(left, y), (right, y), (right, y + step), (left, y + step)] for y in bottoms
    ]
    colours = DIVERGING((torch.arange(LEVELS).numpy() + 0.5) / LEVELS)
    strip = PolyCollection(
        corners, facecolors=colours, edgecolors=colours, linewidths=0.2
    )
    strip.set_transform(figure.transFigure)
    figure.add_artist(strip)
    for value in (0.0, 0.5, 1.0):
        y, x = bottom + value * height, right + 0.05 / WIDTH
        figure.add_artist(Line2D([right, x - 0.01 / WIDTH], [y, y], color=GREY, lw=0.8))
        figure.text(
            x + 0.02 / WIDTH, y, str(value), color=GREY, fontsize=9, va="center"
        )
    middle, edge = bottom + height / 2, right + 0.44 / WIDTH
    figure.text(
        edge, middle, "P(class 1)", color=GREY, rotation=90, va="center", ha="center"
    )


def _explain_marks(figure: Figure) -> None:
    """Say above the frame which mark is which class."""
    y = (TOP + 0.2) / HEIGHT
    for label, marker, colour in CLASSES:
        x = (LEFT + 1.1 + label * 1.03) / WIDTH
        mark = Line2D(
            [x], [y], marker=marker, color=colour, markersize=9, markeredgecolor="white"
        )
        figure.add_artist(mark)
        text = f"class {label}"
        figure.text(x + 0.22 / WIDTH, y, text, color=GREY, fontsize=9, va="center")
