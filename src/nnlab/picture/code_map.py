"""Codes as points on a plane, coloured by class."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from nnlab.picture.canvas import FAINT, TEN, canvas, name_of, quieten

MARKERS = ("o", "^", "s", "P")  # of each further ten classes
WIDE, HIGH = 5.2, 5.0  # inches
LETTER, LINE = 0.1, 0.24  # of a class's name, in inches, with room around it


def code_map(
    code: Float[Tensor, "n code"],
    labels: Int[Tensor, " n"],
    names: Sequence[str] = (),
    *,
    title: str,
) -> Figure:
    """Draw each code in its class's colour, and each class's name near its median.

    Codes of more than two numbers are drawn along their two principal axes.
    """
    figure = canvas(WIDE, HIGH)
    axes = figure.add_subplot()
    places, classes = _plane(code.detach().float().cpu()), labels.cpu()
    kinds: list[int] = classes.unique().tolist()
    named = {label: name_of(label, names) for label in kinds}
    medians = [places[classes == label].median(dim=0).values for label in kinds]
    extent = (places.amax(dim=0) - places.amin(dim=0)).clamp(min=1e-12)
    plates = _apart(torch.stack(medians), extent, [*named.values()])
    for label, plate in zip(kinds, plates.tolist(), strict=True):
        of_class, colour = places[classes == label], TEN[label % len(TEN)]
        # Ten colours can be told apart by everyone, twenty cannot.
        marker = MARKERS[label // len(TEN) % len(MARKERS)]
        axes.scatter(
            *of_class.T.numpy(),
            s=5 if marker == "o" else 9,
            color=colour,
            marker=marker,
            alpha=0.5,
            linewidths=0,
        )
        _name(axes, plate, named[label], colour)
    axes_names = ("principal axis 1", "principal axis 2")
    if code.shape[1] <= 2:
        axes_names = ("code 1", "code 2")
    axes.set(xlabel=axes_names[0], ylabel=axes_names[1], title=title)
    axes.locator_params(nbins=7)
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


def _apart(
    places: Float[Tensor, "k 2"], extent: Float[Tensor, " 2"], names: Sequence[str]
) -> Float[Tensor, "k 2"]:
    """Return the places moved up and down until no name covers another."""
    inches = places / extent * torch.tensor([0.8 * WIDE, 0.8 * HIGH])
    wide = torch.tensor([LETTER * max(2, len(name)) for name in names])
    x, y = inches.T
    is_beside = (x[:, None] - x).abs() < (wide[:, None] + wide) / 2
    rank = y.argsort(stable=True).argsort()
    above = torch.where(rank[:, None] > rank, 1.0, -1.0).fill_diagonal_(0)
    for _ in range(40):  # each pair gives way by half of what it overlaps
        apart = (y[:, None] - y) * above
        y = y + ((LINE - apart).clamp(min=0) * is_beside * above).sum(dim=1) / 3
    return torch.stack([places[:, 0], y / (0.8 * HIGH) * extent[1]], dim=1)


def _name(axes: Axes, place: list[float], name: str, colour: str) -> None:
    x, y = place
    shape = "circle" if len(name) <= 2 else "round"
    plate = {"boxstyle": f"{shape},pad=0.2", "facecolor": colour, "edgecolor": "white"}
    red, green, blue = to_rgb(colour)
    is_light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.55
    ink = "black" if is_light else "white"
    axes.text(x, y, name, color=ink, ha="center", va="center", bbox=plate)
