"""Codes as points on a plane, coloured by class."""

import torch
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from nnlab.picture.canvas import FAINT, canvas, quieten


def code_map(code: Float[Tensor, "n code"], labels: Int[Tensor, " n"]) -> Figure:
    """Draw each code in its class's colour, and each class's name at its median.

    Codes of more than two numbers are drawn along their two principal axes.
    """
    figure = canvas(5.2, 4.8)
    axes = figure.add_subplot()
    places, classes = _plane(code.detach().float().cpu()), labels.cpu()
    colours = colormaps["tab10" if int(classes.max()) < 10 else "tab20"]
    for label in classes.unique().tolist():
        _draw_class(axes, places[classes == label], label, colours(label % colours.N))
    names = ("principal axis 1", "principal axis 2")
    if code.shape[1] <= 2:
        names = ("code 1", "code 2")
    axes.set(xlabel=names[0], ylabel=names[1])
    quieten(axes)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure


def _plane(code: Float[Tensor, "n code"]) -> Float[Tensor, "n 2"]:
    if code.shape[1] <= 2:
        return F.pad(code, (0, 2 - code.shape[1]))
    centred = code - code.mean(dim=0)
    _, axes = torch.linalg.eigh(centred.T @ centred)  # by rising variance
    return centred @ axes.flip(1)[:, :2]


def _draw_class(
    axes: Axes,
    places: Float[Tensor, "n 2"],
    label: int,
    colour: tuple[float, float, float, float],
) -> None:
    axes.scatter(*places.T.numpy(), s=5, color=colour, alpha=0.5, linewidths=0)
    plate = {"boxstyle": "circle,pad=0.2", "facecolor": colour, "edgecolor": "none"}
    x, y = places.median(dim=0).values.tolist()
    axes.text(x, y, str(label), color="white", ha="center", va="center", bbox=plate)
