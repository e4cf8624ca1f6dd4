"""Confidence penalty: answers of low entropy cost, so that the network stays in doubt.

Pereyra, Tucker, Chorowski, Kaiser & Hinton (2017), "Regularizing Neural Networks by
Penalizing Confident Output Distributions", https://arxiv.org/abs/1701.06548, section 3.

    L' = L - weight * H(p),  H(p) = - sum_k p_k log p_k

Stage: the loss, while training: each cross-entropy that the model computes.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from nnlab.limits import NonNegative

from .cross_entropies import Arguments, CrossEntropyRegularizer


class ConfidencePenalty(CrossEntropyRegularizer):
    """Rewards entropy; logs what it adds to the loss, which is below 0."""

    def __init__(self, *, weight: NonNegative) -> None:
        super().__init__()
        self.weight = weight

    def minimised(
        self, plain: Tensor, function: Callable[..., Tensor], given: Arguments
    ) -> Tensor:
        scores, target = given["input"], given["target"]
        if "label_smoothing" in given:  # softmax's
            entropy = entropy_of_softmax(scores)
            if not target.is_floating_point():
                counts = target != given["ignore_index"]
                entropy = torch.where(counts, entropy, 0)
                if given["reduction"] == "mean":
                    return plain - self.weight * entropy.sum() / counts.sum()
        else:
            # H(p) = softplus(z) - z p, for p = sigmoid(z)
            entropy = F.softplus(scores) - scores * scores.sigmoid()
        reduced = {"mean": entropy.mean, "sum": entropy.sum}.get(given["reduction"])
        return plain - self.weight * (entropy if reduced is None else reduced())


def entropy_of_softmax(scores: Tensor) -> Tensor:
    """Return the entropy in nats over the axis of classes: the second, or the only."""
    axis = 1 if scores.ndim > 1 else 0
    logs = scores.float().log_softmax(dim=axis)
    return -(logs.exp() * logs).sum(dim=axis)
