"""How the metric lies over the two parameters that matter most."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

from nnlab.picture.canvas import FAINT, canvas, quieten
from nnlab.sweep.search.axis import Scale, coloured, scales_of
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.study import FrozenTrial

LEVELS = 12
LEAST_POINTS = 4


def draw_contour(
    trials: Sequence[FrozenTrial], options: SearchOptions, names: tuple[str, str]
) -> Figure:
    """Draw the metric between the trials, linearly, and the trials as points."""
    scales = {scale.name: scale for scale in scales_of(trials)}
    x_scale, y_scale = (scales[name] for name in names)
    x = np.array([x_scale.place(trial.params[names[0]]) for trial in trials])
    y = np.array([y_scale.place(trial.params[names[1]]) for trial in trials])
    values = [trial.values[0] for trial in trials]
    metric = Scale.of(options.metrics[0], values, log=None)
    z = np.array([metric.place(value) for value in values])
    figure = canvas(6.4, 4.6)
    axes = figure.add_subplot()
    colour = coloured(figure, axes, trials, options)
    shades = "viridis" if options.directions[0] == "minimize" else "viridis_r"
    mesh = _mesh(x, y)
    if mesh is not None:
        axes.tricontourf(mesh, z, LEVELS, cmap=shades, alpha=0.55, vmin=0, vmax=1)
    axes.scatter(x, y, c=[colour(t) for t in trials], s=34, edgecolors="white")
    best = values.index((min if shades == "viridis" else max)(values))
    axes.plot(x[best], y[best], "o", mfc="none", mec="#d9641e", ms=13, mew=2)
    for axis, scale in ((axes.xaxis, x_scale), (axes.yaxis, y_scale)):
        ticks = scale.ticks()
        axis.set_ticks([place for place, _ in ticks], [label for _, label in ticks])
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
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
