"""RMSprop: each weight's gradient over that gradient's usual size."""

from collections.abc import Iterable

import torch
from torch import Tensor

from nnlab.limits import NonNegative, Positive, Share


class RMSprop(torch.optim.RMSprop):
    """torch.optim.RMSprop (Hinton 2012, "Neural Networks for Machine Learning", 6e).

    `alpha` is the share of the mean square kept at a step.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: Positive,
        alpha: Share,
        eps: Positive,
        momentum: Share,
        weight_decay: NonNegative,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            alpha=alpha,
            eps=eps,
            momentum=momentum,
            weight_decay=weight_decay,
        )
