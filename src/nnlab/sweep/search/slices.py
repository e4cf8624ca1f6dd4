"""How the metric lies over each parameter that was searched, one by one."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from nnlab.picture.canvas import FAINT, GREY, PALETTE, canvas, quieten
from nnlab.sweep.search.axis import RING, Scale, best_of, scales_of, titled
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.study import FrozenTrial

MOST_COLUMNS = 3  # panels side by side


def draw_slices(trials: Sequence[FrozenTrial], options: SearchOptions) -> Figure:
    """Draw a panel for each parameter: each trial's value over it, the best ringed."""
    scales = scales_of(trials)
    values = [trial.values[0] for trial in trials]
    columns = min(MOST_COLUMNS, len(scales))
    rows = -(-len(scales) // columns)
    figure = canvas(max(6.4, 3.2 * columns), 3.4 * rows)
    figure.suptitle(titled(options, "the ring is the best"), color=GREY, fontsize=10)
    best = best_of(values, options)
    up = Scale.of(options.metrics[0], values, log=None)
    for index, scale in enumerate(scales):
        axes = figure.add_subplot(rows, columns, index + 1)
        places = [scale.place(trial.params[scale.name]) for trial in trials]
        axes.plot(places, values, "o", color=PALETTE[0], alpha=0.8, markersize=5)
        axes.plot(places[best], values[best], **RING)
        if up.log:
            axes.set_yscale("log")
        scale.write_at(axes.xaxis)
        axes.set_xlim(-0.06, 1.06)
        axes.set_ylabel(options.metrics[0] if index % columns == 0 else "")
        axes.grid(color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        quieten(axes)
    return figure
