"""What a regression says against what is true."""

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import BLUE, GREY, ORANGE, canvas, quieten

MOST_POINTS = 2000  # more hide each other


def numbers_against_truth(
    answers: Float[Tensor, " n"], truths: Float[Tensor, " n"], tolerance: float
) -> Figure:
    """Draw each answer over its truth: blue within the tolerance, else orange."""
    said, true = (x.detach().float().cpu() for x in (answers, truths))
    is_right = (said - true).abs() < tolerance
    right, total = int(is_right.sum()), len(true)
    said, true, is_right = (x[:MOST_POINTS] for x in (said, true, is_right))
    figure = canvas(4.2, 3.8)
    axes = figure.add_subplot()
    for mine, colour in ((is_right, BLUE), (~is_right, ORANGE)):
        axes.scatter(
            true[mine].numpy(),
            said[mine].numpy(),
            s=9,
            color=colour,
            alpha=0.5,
            linewidths=0,
        )
    middle = float(true.mean())
    axes.axline((middle, middle), slope=1, color=GREY, linewidth=0.8, zorder=0)
    axes.set(
        xlabel="truth",
        ylabel="answer",
        title=f"{right:,} of {total:,} within {tolerance:g}",
    )
    quieten(axes)
    return figure
