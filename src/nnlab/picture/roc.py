"""ROC curves: what is gained in true positives for each false one."""

from collections.abc import Mapping

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import FAINT, GREY, PALETTE, canvas, quieten

Rates = tuple[Float[Tensor, " points"], Float[Tensor, " points"]]


def roc(curves: Mapping[str, Rates]) -> Figure:
    """Draw the curves by name: false positive rates and true positive rates.

    The diagonal is what guessing gives.
    """
    figure = canvas(4.4, 4.2)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    for position, (name, rates) in enumerate(curves.items()):
        false_positive, true_positive = (rate.cpu().numpy() for rate in rates)
        colour = PALETTE[position % len(PALETTE)]
        axes.plot(false_positive, true_positive, label=name, color=colour, linewidth=2)
    axes.set(
        xlabel="pairs of two classes called alike",
        ylabel="pairs of one class called alike",
        xlim=(0, 1),
        ylim=(0, 1.01),
        aspect="equal",
    )
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    quieten(axes)
    axes.legend(frameon=False, labelcolor=GREY, fontsize=9, loc="lower right")
    return figure
