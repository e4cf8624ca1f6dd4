"""Label smoothing: the right class is to get almost all, the others a little.

Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), "Rethinking the Inception
Architecture for Computer Vision", https://arxiv.org/abs/1512.00567, section 7.

    L' = cross-entropy against (1 - share) y + share / K    over K classes

A sigmoid's two classes are smoothed alike: (1 - share) y + share / 2.
Stage: the loss, while training: each cross-entropy that the model computes.
"""

from collections.abc import Callable

from torch import Tensor

from nnlab.limits import Share

from .cross_entropies import Arguments, CrossEntropyRegularizer


class LabelSmoothing(CrossEntropyRegularizer):
    """Smooths labels; logs by how much that raises the loss."""

    def __init__(self, *, share: Share) -> None:
        super().__init__()
        self.share = share

    def minimised(
        self, plain: Tensor, function: Callable[..., Tensor], given: Arguments
    ) -> Tensor:
        if "label_smoothing" in given:  # softmax's
            return function(**{**given, "label_smoothing": self.share})
        target = (1 - self.share) * given["target"] + self.share / 2
        return function(**{**given, "target": target})
