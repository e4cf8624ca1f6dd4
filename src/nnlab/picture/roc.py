"""ROC curves: what is gained in true positives for each false one."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import FAINT, GREY, PALETTE, canvas, quieten

Rates = tuple[Float[Tensor, " points"], Float[Tensor, " points"]]


def roc(curves: Mapping[str, Rates]) -> Figure:
    """Draw the curves by name: false positive rates, from 0 to 1, and true positive.

    The diagonal is what guessing gives; beside each name is the area below its curve.
    """
    figure = canvas(4.4, 4.4, layout=None)  # the axes' numbers are always these
    axes = figure.add_axes((0.14, 0.11, 0.82, 0.82))
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    for position, (name, rates) in enumerate(curves.items()):
        false_positive, true_positive = (rate.cpu().numpy() for rate in rates)
        colour = PALETTE[position % len(PALETTE)]
        area = float(np.trapezoid(true_positive, false_positive))
        label = f"{name}, area {area:.3f}"
        axes.plot(false_positive, true_positive, label=label, color=colour, linewidth=2)
    axes.set(
        xlabel="share of pairs of two classes called alike",
        ylabel="share of pairs of one class called alike",
        title="ROC: called alike are pairs nearer than some distance",
        xlim=(0, 1),
        ylim=(0, 1.01),
        aspect="equal",
    )
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    quieten(axes)
    axes.legend(frameon=False, labelcolor=GREY, fontsize=9, loc="lower right")
    return figure
