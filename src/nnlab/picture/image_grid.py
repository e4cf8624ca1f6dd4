"""Images side by side."""

import math
from collections.abc import Sequence

from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import DIVERGING, GREY, bare, canvas

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
        title: above them all.
        columns: images a row; by default about as many as rows, at most 8.
        is_signed: zero is neutral, blue below it and orange above: for weights.
    """
    columns = columns or min(8, math.ceil(math.sqrt(len(images))))
    rows = math.ceil(len(images) / columns)
    height, width = images.shape[1:]
    cell = min(1.3, 6 / columns)
    title_height = 0.2 * max((1 + text.count("\n") for text in titles or ()), default=0)
    row_height = cell * height / width + title_height
    size = cell * columns, row_height * rows + (0.3 if title else 0)
    axes = _sheet(*size)
    if title:
        top = 1 - GAP / size[1]
        axes.figure.suptitle(title, color=GREY, fontsize=10, y=top, va="top")  # pyright: ignore
    pixels = images.detach().float().cpu().numpy()
    low, high = float(pixels.min()), float(pixels.max())
    if is_signed:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    for position, image in enumerate(pixels):
        row, column = divmod(position, columns)
        left, bottom = column * cell, row_height * (rows - 1 - row)
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
