"""Images side by side."""

import math
from collections.abc import Sequence

from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import DIVERGING, GREY, bare, canvas, width_of
from nnlab.picture.scale import MINUS

GAP = 0.04  # inches around an image


def image_grid(
    images: Shaped[Tensor, "n height width"],
    *,
    titles: Sequence[str] | None = None,
    title: str | None = None,
    columns: int | None = None,
    is_signed: bool = False,
) -> Figure:
    """Draw at least one image in rows, all on one scale from the least to the greatest.

    Args:
        images: any numbers: grey values, weights, activations.
        titles: one an image.
        title: above them all; says the ends of a signed scale as well.
        columns: images a row; by default about as many as rows, at most 8.
        is_signed: zero is neutral, blue below it and orange above: for weights.
    """
    columns = columns or min(8, math.ceil(math.sqrt(len(images))))
    rows = math.ceil(len(images) / columns)
    height, width = images.shape[1:]
    cell = min(1.3, 6 / columns)
    title_height = 0.2 * max((1 + text.count("\n") for text in titles or ()), default=0)
    row_height = cell * height / width + title_height
    pixels = images.detach().float().cpu().numpy()
    low, high = float(pixels.min()), float(pixels.max())
    if is_signed:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
        if title:
            title += f": blue {MINUS}{high:.2g}, grey 0, orange {high:.2g}"
    wide = max(cell * columns, width_of(title or ""))
    size = wide, row_height * rows + (0.3 if title else 0)
    margin = (wide - cell * columns) / 2
    axes = _sheet(*size)
    if title:
        axes.figure.suptitle(  # pyright: ignore
            title, color=GREY, fontsize=10, y=1 - GAP / size[1], va="top"
        )
    for position, image in enumerate(pixels):
        row, column = divmod(position, columns)
        left, bottom = margin + column * cell, row_height * (rows - 1 - row)
        right, top = left + cell, bottom + row_height - title_height
        axes.imshow(
            image,
            cmap=DIVERGING if is_signed else "gray",
            vmin=low,
            vmax=high,
            interpolation="nearest",
            extent=(left + GAP, right - GAP, bottom + GAP, top - GAP),
        )
        if titles:
            place = (left + right) / 2, top
            axes.text(*place, titles[position], color=GREY, fontsize=9, ha="center")
    axes.set(xlim=(0, size[0]), ylim=(0, size[1]), aspect="auto")
    return axes.figure  # pyright: ignore


def _sheet(width: float, height: float) -> Axes:
    """Return one frame as large as its figure, measured in inches.

    A frame an image takes ten times as long: matplotlib looks for room for its numbers.
    """
    figure = canvas(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    bare(axes)
    return axes
