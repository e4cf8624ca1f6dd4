"""The training error and the held-out error, over epochs."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnlab.picture.canvas import GREY, PALETTE
from nnlab.picture.curves import curves


def error_curve(
    rows: Sequence[Sequence[float]], *, name: str, best: int, label: str
) -> Figure:
    """Draw both curves, and mark one epoch.

    Args:
        rows: epoch, training error, held-out error; at least one.
        name: of the held-out error, `val/loss`.
        best: the row to mark.
        label: what the mark means.
    """
    epochs, train, held_out = zip(*rows, strict=True)
    figure = curves({"train": (epochs, train), "validation": (epochs, held_out)})
    figure.set_size_inches(5.2, 3.4)
    axes = figure.axes[0]
    axes.axvline(epochs[best], color=GREY, linewidth=1, linestyle=":")
    axes.plot(epochs[best], held_out[best], "o", color=PALETTE[1], markersize=7)
    axes.annotate(
        f" {label}: epoch {epochs[best]:.0f} ",
        (epochs[best], 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="left" if best <= len(rows) / 2 else "right",
        color=GREY,
        fontsize=9,
    )
    axes.set(xlabel="epoch", ylabel=name.rpartition("/")[2])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    return figure
