"""Scalars over optimizer steps."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from nnlab.picture.canvas import FAINT, GREY, PALETTE, canvas, quieten
from nnlab.picture.scale import around_constant, is_constant

Series = tuple[Sequence[float], Sequence[float]]  # steps, values


def curves(
    series: Mapping[str, Series], *, title: str = "", is_log: bool | None = None
) -> Figure:
    """Draw each series over its steps in one frame.

    A point that is not a finite number is left out, as a gap.

    Args:
        series: steps and values by name; `train` is drawn thin, the others with dots.
        title: of the frame.
        is_log: whether the values' axis is logarithmic; by default where all are
            positive and span more than a factor of 20.
    """
    figure = canvas(3.9, 2.8)
    axes = figure.add_subplot()
    for position, (name, (steps, values)) in enumerate(series.items()):
        is_sparse = len(steps) <= 20 and name != "train"
        axes.plot(
            steps,
            [value if math.isfinite(value) else math.nan for value in values],
            label=name,
            color=PALETTE[position % len(PALETTE)],
            linewidth=1.4 if name == "train" else 2,
            marker="o" if is_sparse or len(steps) == 1 else None,
            markersize=4,
        )
    axes.locator_params(nbins=5)
    axes.locator_params(axis="x", integer=True)
    if spans_decades(series) if is_log is None else is_log:
        _make_logarithmic(axes)
    low, high = axes.dataLim.intervaly
    if is_constant(low, high):
        scale = around_constant(high)
        axes.set_ylim(scale.low, scale.high)
    axes.set(xlabel="step", title=title)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    quieten(axes)
    if len(series) > 1:
        axes.legend(frameon=False, labelcolor=GREY, fontsize=9)
    return figure


def spans_decades(series: Mapping[str, Series]) -> bool:
    """Tell whether all values are positive, and span more than a factor of 20."""
    values = [v for _, values in series.values() for v in values if math.isfinite(v)]
    return bool(values) and min(values) > 0 and max(values) > 20 * min(values)


def _make_logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    if axes.get_ylim()[1] < 1000 * axes.get_ylim()[0]:
        # Too few powers of ten to read by: 0.02, 0.05 as well, in plain numbers
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
