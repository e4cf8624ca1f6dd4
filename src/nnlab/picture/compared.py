"""Ways to do the same, compared in several cases."""

from collections.abc import Mapping, Sequence
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nnlab.numerals import percent
from nnlab.picture.canvas import FAINT, GREY, PALETTE, canvas, quieten

Compared = Mapping[str, Mapping[str, Sequence[float]]]  # case -> way -> its repetitions


def compared(values: Compared, *, columns: int, title: str) -> Figure:
    """Draw a panel for each case: a line for each way, a dot for each repetition.

    The mean is the large dot, and written above. Each panel has a scale of its own.

    Args:
        values: of each way in each case; shares of 1 are shown as percent.
        columns: panels side by side.
        title: what is compared.
    """
    rows = -(-len(values) // columns)
    most = max((len(ways) for ways in values.values()), default=1)
    figure = canvas(4.2 * columns, (0.34 * most + 1) * rows)
    figure.suptitle(title, color=GREY, fontsize=11)
    for place, (case, ways) in enumerate(values.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        for line, repetitions in enumerate(ways.values()):
            colour = PALETTE[line % len(PALETTE)]
            if not repetitions:
                continue
            middle = mean(repetitions)
            height = [line] * len(repetitions)
            axes.plot(repetitions, height, "o", color=colour, markersize=3, alpha=0.6)
            axes.plot([middle], [line], "o", color=colour, markersize=7)
            axes.annotate(
                percent(middle) if 0 <= middle <= 1 else f"{middle:.4g}",
                (middle, line),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                color=GREY,
                fontsize=8,
            )
        axes.set_yticks(range(len(ways)), list(ways))
        axes.set_ylim(len(ways) - 0.5, -0.8)  # the first on top
        axes.margins(x=0.15)
        axes.set_title(case)
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        if all(0 <= v <= 1 for each in ways.values() for v in each):
            axes.xaxis.set_major_formatter(FuncFormatter(_percent))
            _widen(axes)
        quieten(axes)
    return figure


def _widen(axes: Axes) -> None:
    """Show no difference larger than it is: an axis spans two percent at least."""
    low, high = axes.get_xlim()
    missing = max(0, 0.02 - (high - low)) / 2
    axes.set_xlim(low - missing, high + missing)


def _percent(value: float, _: object) -> str:
    return f"{100 * value:.4g} %"
