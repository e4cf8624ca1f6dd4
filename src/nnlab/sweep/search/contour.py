"""How the metric lies over the two parameters that matter most."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

from nnlab.picture.canvas import FAINT, canvas, quieten
from nnlab.sweep.search.axis import RING, best_of, scales_of, shades, titled
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.study import FrozenTrial

LEVELS = 12
LEAST_POINTS = 4


def draw_contour(
    trials: Sequence[FrozenTrial], options: SearchOptions, names: tuple[str, str]
) -> Figure:
    """Draw the trials as points, and the metric between them, linearly.

    Between choices that have no order there is nothing.
    """
    scales = {scale.name: scale for scale in scales_of(trials)}
    x_scale, y_scale = (scales[name] for name in names)
    x = np.array([x_scale.place(trial.params[names[0]]) for trial in trials])
    y = np.array([y_scale.place(trial.params[names[1]]) for trial in trials])
    metric, colours = shades(trials, options)
    values = [trial.values[0] for trial in trials]
    z = np.array([metric.place(value) for value in values])
    figure = canvas(6.4, 4.6)
    axes = figure.add_subplot()
    bar = figure.colorbar(colours, ax=axes, pad=0.02)
    metric.write_at(bar.ax.yaxis)
    quieten(bar.ax)
    bar.outline.set_visible(False)  # pyright: ignore
    is_filled = x_scale.is_ordered and y_scale.is_ordered
    if is_filled and (mesh := _mesh(x, y)) is not None:
        shaded = {"cmap": colours.get_cmap(), "vmin": 0, "vmax": 1}
        axes.tricontourf(mesh, z, LEVELS, alpha=0.55, **shaded)
    axes.scatter(x, y, c=colours.to_rgba(z), s=34, edgecolors="white")
    best = best_of(values, options)
    axes.plot(x[best], y[best], **RING)
    x_scale.write_at(axes.xaxis)
    y_scale.write_at(axes.yaxis)
    axes.set_title(titled(options, "the ring is the best"))
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.grid(color=FAINT, linewidth=0.4)
    quieten(axes)
    return figure


def _mesh(
    x: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    y: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> Triangulation | None:
    """Return the triangles between the points; None where all lie on a line."""
    spread = np.linalg.matrix_rank(np.stack([x - x.mean(), y - y.mean()]), tol=1e-6)
    if len(set(zip(x, y, strict=True))) < LEAST_POINTS or spread < 2:
        return None
    try:
        return Triangulation(x, y)
    except (RuntimeError, ValueError):  # points one upon the other
        return None
