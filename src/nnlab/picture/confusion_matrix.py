"""Which class is taken for which."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from nnlab.numerals import hundredths
from nnlab.picture.canvas import ERRORS, FAINT, RIGHT, canvas, name_of, quieten

MOST_COUNTED = 25  # classes; with more, the counts are too small to read
_EXTENT = 300  # of the matrix, in points


def confusion_matrix(
    scores: Float[Tensor, "n classes"],
    labels: Int[Tensor, " n"],
    names: Sequence[str] = (),
) -> Figure:
    """Draw how often each class (row) was taken for each other (column).

    On the diagonal, a square grows and turns blue with its share of the row. An error's
    square grows and reddens with its share against the largest share of an error, so
    that 99 % right do not drown 1 % wrong. `names` are what the labels stand for.
    """
    counts = count(scores, labels)
    classes = len(counts)
    figure = canvas(4.8, 5.0)
    axes = figure.add_subplot()
    sides = torch.zeros(classes, classes)
    for (row, column), share in _shares(counts).items():
        side = 0.56 + 0.4 * share
        sides[row, column] = side
        colours = RIGHT if row == column else ERRORS
        _square(axes, row, column, side, colours(share))
    if classes <= MOST_COUNTED:
        _write(axes, counts, sides)
    right, total = int(counts.diagonal().sum()), int(counts.sum())
    axes.set(
        xlim=(-0.5, classes - 0.5),
        ylim=(classes - 0.5, -0.5),
        aspect="equal",
        xlabel="predicted class",
        ylabel="true class (red: wrong; larger: more of the row)",
        title=f"accuracy {hundredths(right / total)}% · "
        f"{total - right:,} of {total:,} wrong",
    )
    quieten(axes)
    if classes <= MOST_COUNTED:
        named = [name_of(label, names) for label in range(classes)]
        is_long = max(map(len, named)) > 2
        axes.set_xticks(range(classes), named, rotation=90 if is_long else 0)
        axes.set_yticks(range(classes), named)
        axes.tick_params(length=0)
    return figure


def count(
    scores: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]
) -> Int[Tensor, "classes classes"]:
    """Return the number of examples by true class (row) and prediction (column)."""
    classes = scores.shape[1]
    pairs = labels.long().cpu() * classes + scores.argmax(dim=1).cpu()
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _shares(counts: Int[Tensor, "classes classes"]) -> dict[tuple[int, int], float]:
    """Return how large each square is: all of the diagonal, the others that count."""
    shares = counts.double() / counts.sum(dim=1, keepdim=True).clamp(min=1)
    right = shares.diagonal().diag()
    errors = shares - right
    shares = errors / errors.max().clamp(min=1e-12) + right
    is_drawn = (counts > 0) | torch.eye(len(counts), dtype=torch.bool)
    places = is_drawn.nonzero().tolist()
    return {(row, column): float(shares[row, column]) for row, column in places}


def _square(axes: Axes, row: int, column: int, side: float, colour: Any) -> None:
    corner = (column - side / 2, row - side / 2)
    axes.add_patch(Rectangle(corner, side, side, facecolor=colour, linewidth=0))


def _write(
    axes: Axes,
    counts: Int[Tensor, "classes classes"],
    sides: Float[Tensor, "classes classes"],
) -> None:
    """Write each count as large as its square allows; a dot where there is none."""
    for row, line in enumerate(counts.tolist()):
        for column, number in enumerate(line):
            side = float(sides[row, column])
            text = str(number) if side else "·"
            width = 0.9 * side * _EXTENT / len(counts)
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=min(10.5, width / (0.64 * len(text))) if side else 8,
                color="white" if side else FAINT,
            )
