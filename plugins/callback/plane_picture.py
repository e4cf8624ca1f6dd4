"""Points in the plane of their two main directions, in the colours of their labels."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import GREY, PALETTE, canvas, quieten

MARKERS = "os^D"
MOST_WORDS = 120


def plane_picture(
    points: Float[Tensor, "n size"], labels: Sequence[str] | None, *, title: str
) -> Figure:
    """Draw the points by principal components; few different labels as colours.

    Many different ones, as of tokens, are written at their points.
    """
    centred = points - points.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    plane = (centred @ directions[:2].T).numpy()  # (n, 2)
    figure = canvas(4.8, 4.0)
    axes = figure.add_subplot()
    kinds = sorted(set(labels or ()))
    if labels is None:
        axes.scatter(*plane.T, s=8, color=PALETTE[0], alpha=0.6, linewidths=0)
    elif len(kinds) <= len(PALETTE) * len(MARKERS):
        for place, kind in enumerate(kinds):
            mine = plane[[label == kind for label in labels]]
            colour = PALETTE[place % len(PALETTE)]
            marker = MARKERS[place // len(PALETTE)]
            shown = {"s": 9, "color": colour, "marker": marker, "linewidths": 0}
            axes.scatter(*mine.T, alpha=0.6, label=kind, **shown)
        if len(kinds) > 1:
            place = "outside right center"
            look = {"frameon": False, "labelcolor": GREY, "fontsize": 8}
            figure.legend(loc=place, markerscale=2.5, **look)
    else:
        axes.scatter(*plane.T, s=4, color=PALETTE[0], alpha=0.4, linewidths=0)
        for word, (x, y) in list(zip(labels, plane, strict=True))[:MOST_WORDS]:
            shown = word.replace("$", r"\$")
            axes.annotate(shown, (x, y), fontsize=8, color=GREY)
    axes.set(title=title, xlabel="first direction", ylabel="second direction")
    quieten(axes)
    return figure
