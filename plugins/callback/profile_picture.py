"""A number of each layer, first to last, at several moments of a run."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from nnlab.picture.canvas import FAINT, GREY, canvas, quieten

MOMENTS = 6
LABELS = 24  # more cannot be read under one axis


def layer_profile(
    rows: Mapping[int, Mapping[str, float]], layers: Sequence[str], *, title: str
) -> Figure:
    """Draw a line a moment over the layers: early ones pale, the last one dark.

    Args:
        rows: a value by layer, by step; what is not positive is left out, as a gap.
        layers: their names, from input to output.
        title: says what the values are.
    """
    longest = max(len(name) for name in layers)  # written aslant, below the axis
    height = 2.7 + 0.055 * longest
    figure = canvas(max(4.2, min(9.0, 1.6 + 0.42 * len(layers))), height)
    axes = figure.add_subplot()
    steps = sorted(rows)
    shown = sorted({steps[round(i)] for i in np.linspace(0, len(steps) - 1, MOMENTS)})
    colours = colormaps["viridis_r"](np.linspace(0.15, 0.9, len(shown)))
    for step, colour in zip(shown, colours, strict=True):
        values = np.array([rows[step].get(name, 0) for name in layers], dtype=float)
        values[values <= 0] = np.nan
        marker = "o" if len(layers) <= 40 else None
        label = f"step {step:,}"
        axes.plot(values, color=colour, marker=marker, markersize=4, label=label)
    if any(value > 0 for row in rows.values() for value in row.values()):
        axes.set_yscale("log")
    stride = -(-len(layers) // LABELS)
    places = range(0, len(layers), stride)
    axes.set_xticks(
        places, [layers[place] for place in places], rotation=45, ha="right"
    )
    axes.set(title=title)
    axes.grid(color=FAINT, linewidth=0.6, axis="y")
    quieten(axes)
    axes.tick_params(which="minor", colors=GREY, labelsize=8)
    figure.legend(
        loc="outside right center", frameon=False, labelcolor=GREY, fontsize=8
    )
    return figure
