"""Images side by side."""

import math
from collections.abc import Sequence

from jaxtyping import Shaped
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import DIVERGING, GREY, bare, canvas


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
    rows_height = rows * (cell * height / width + title_height)
    figure = canvas(cell * columns, rows_height + (0.3 if title else 0))
    if title:
        figure.suptitle(title, color=GREY, fontsize=10)
    frames = figure.subplots(rows, columns, squeeze=False).flatten()
    pixels = images.detach().float().cpu().numpy()
    low, high = float(pixels.min()), float(pixels.max())
    if is_signed:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    for position, axes in enumerate(frames):
        bare(axes)
        if position < len(pixels):
            axes.imshow(
                pixels[position],
                cmap=DIVERGING if is_signed else "gray",
                vmin=low,
                vmax=high,
                interpolation="nearest",
            )
            if titles:
                axes.set_title(titles[position], color=GREY, fontsize=9, pad=3)
    return figure
