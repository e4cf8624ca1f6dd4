"""The same images in several states, one state a row."""

from collections.abc import Mapping

from jaxtyping import Shaped
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import GREY, bare, canvas, width_of


def image_rows(
    rows: Mapping[str, Shaped[Tensor, "n height width"]], *, title: str
) -> Figure:
    """Draw each row of images under its name, all on one scale, equals in columns.

    Args:
        rows: at least one row, all of as many images.
        title: above them all.
    """
    height, width = next(iter(rows.values())).shape[1:]
    columns = len(next(iter(rows.values())))
    pixels = {name: row.detach().float().cpu().numpy() for name, row in rows.items()}
    low = min(float(row.min()) for row in pixels.values())
    high = max(float(row.max()) for row in pixels.values())
    cell = min(1.0, 6 / columns)
    row_height = cell * height / width + 0.25
    wide = max(cell * columns, width_of(title))
    figure = canvas(wide, len(rows) * row_height + 0.3)
    figure.suptitle(title, color=GREY, fontsize=10)
    frames = figure.subplots(len(rows), columns, squeeze=False)
    for (name, row), cells in zip(pixels.items(), frames, strict=True):
        for image, axes in zip(row, cells, strict=True):
            bare(axes)
            axes.imshow(
                image, cmap="gray", vmin=low, vmax=high, interpolation="nearest"
            )
        cells[0].set_title(name, color=GREY, fontsize=9, loc="left", pad=3)
    return figure
