"""What a regression says against what is true."""

from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import BLUE, FAINT, GREY, ORANGE, canvas, quieten

MOST_POINTS = 2000  # more hide each other
MARGIN = 0.06  # of the truths' extent, around them


def numbers_against_truth(
    answers: Float[Tensor, " n"], truths: Float[Tensor, " n"], tolerance: float
) -> Figure:
    """Draw each answer over its truth: blue within the tolerance, else orange.

    The truths set both axes, so that an answer that is always the same is a flat band;
    what is answered beyond them is a triangle at the edge, lest it shrink the rest.
    """
    said, true = (x.detach().float().cpu() for x in (answers, truths))
    is_right = (said - true).abs() < tolerance
    right, total = int(is_right.sum()), len(true)
    said, true, is_right = (x[:MOST_POINTS] for x in (said, true, is_right))
    low, high = float(true.min()), float(true.max())
    margin = max(MARGIN * (high - low), tolerance)
    low, high = low - margin, high + margin
    figure = canvas(4.2, 4.3)
    axes = figure.add_subplot()
    axes.plot([low, high], [low, high], color=GREY, linewidth=0.8, zorder=0)
    band = low - tolerance, high - tolerance, low + tolerance, high + tolerance
    axes.fill_between([low, high], band[:2], band[2:], color=FAINT, linewidth=0)
    is_below, is_above = said < low, said > high
    seen = said.clamp(low, high)
    _mark(axes, true, seen, is_right, BLUE, "o")
    _mark(axes, true, seen, ~(is_right | is_below | is_above), ORANGE, "o")
    for mine, marker in ((is_below, "v"), (is_above, "^")):
        if mine.any():
            _mark(axes, true, seen, mine, ORANGE, marker)
    axes.set(
        xlim=(low, high),
        ylim=(low, high),
        aspect="equal",
        xlabel="truth",
        ylabel="answer",
        title=f"{right:,} of {total:,} within {tolerance:g} of the truth",
    )
    quieten(axes)
    return figure


def _mark(
    axes: Axes,
    true: Float[Tensor, " n"],
    said: Float[Tensor, " n"],
    mine: Bool[Tensor, " n"],
    colour: str,
    marker: str,
) -> None:
    is_at_edge = marker != "o"  # few there, and cut in half by the frame
    axes.scatter(
        true[mine].numpy(),
        said[mine].numpy(),
        s=30 if is_at_edge else 9,
        color=colour,
        alpha=1 if is_at_edge else 0.5,
        linewidths=0,
        marker=marker,
        clip_on=not is_at_edge,
    )
