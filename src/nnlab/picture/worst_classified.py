"""The images a classifier is most sure of and wrong about."""

from collections.abc import Sequence

from jaxtyping import Float, Int, Shaped
from matplotlib.figure import Figure
from torch import Tensor

from nnlab.picture.canvas import name_of
from nnlab.picture.image_grid import image_grid

MOST = 16


def worst_classified(
    images: Shaped[Tensor, "n height width"],
    scores: Float[Tensor, "n classes"],
    labels: Int[Tensor, " n"],
    names: Sequence[str] = (),
) -> Figure:
    """Draw up to 16 wrong images, the most confident first.

    Where none is wrong, the least confident are drawn, and the title says so.

    Args:
        images: grey, light on dark.
        scores: before the softmax, whose largest value is the confidence.
        labels: the true classes.
        names: what they stand for.
    """
    confidence, said = scores.float().softmax(dim=1).max(dim=1)
    wrong = (said != labels).nonzero()[:, 0]
    if len(wrong):
        order = wrong[confidence[wrong].argsort(descending=True, stable=True)]
        title = (
            f"{len(wrong):,} of {len(labels):,} are wrong; the most confident of them"
        )
    else:
        order = confidence.argsort(stable=True)
        title = f"all {len(labels):,} are right; the least confident of them"
    shown = order[:MOST]
    captions = [
        _caption(
            name_of(int(said[i]), names), name_of(int(labels[i]), names), confidence[i]
        )
        for i in shown
    ]
    return image_grid(
        images[shown],
        titles=captions,
        title=title,
        columns=4,
    )


def _caption(said: str, is_: str, confidence: Float[Tensor, ""]) -> str:
    percent = min(99, round(100 * confidence.item()))  # "100%" would claim too much
    if max(len(said), len(is_)) <= 2:
        return f"said {said}, is {is_}, {percent}%"
    return f"said {said},\nis {is_}, {percent}%"
