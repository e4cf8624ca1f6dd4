"""Codes as points on a plane, coloured by class."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from nnlab.picture.canvas import FAINT, canvas, name_of, quieten


def code_map(
    code: Float[Tensor, "n code"], labels: Int[Tensor, " n"], names: Sequence[str] = ()
) -> Figure:
    """Draw each code in its class's colour, and each class's name at its median.

    Codes of more than two numbers are drawn along their two principal axes.
    """
    figure = canvas(5.2, 4.8)
    axes = figure.add_subplot()
    places, classes = _plane(code.detach().float().cpu()), labels.cpu()
    colours = colormaps["tab10" if int(classes.max()) < 10 else "tab20"]
    for label in classes.unique().tolist():
        name = name_of(label, names)
        _draw_class(axes, places[classes == label], name, colours(label % colours.N))
    axes_names = ("principal axis 1", "principal axis 2")
    if code.shape[1] <= 2:
        axes_names = ("code 1", "code 2")
    axes.set(xlabel=axes_names[0], ylabel=axes_names[1])
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
    name: str,
    colour: tuple[float, float, float, float],
) -> None:
    axes.scatter(*places.T.numpy(), s=5, color=colour, alpha=0.5, linewidths=0)
    shape = "circle" if len(name) <= 2 else "round"
    plate = {"boxstyle": f"{shape},pad=0.2", "facecolor": colour, "edgecolor": "none"}
    x, y = places.median(dim=0).values.tolist()
    axes.text(x, y, name, color="white", ha="center", va="center", bbox=plate)
