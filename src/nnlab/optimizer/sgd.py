"""Gradient descent on batches, with or without momentum."""

from collections.abc import Iterable

import torch
from torch import Tensor

from nnlab.limits import NonNegative, Positive, Share


class SGD(torch.optim.SGD):
    """torch.optim.SGD; `weight_decay` is an L2 penalty on every weight, biases too.

    `nesterov` looks ahead along the momentum (Sutskever et al. 2013, "On the importance
    of initialization and momentum in deep learning") and needs one above 0.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: Positive,
        momentum: Share,
        nesterov: bool,
        weight_decay: NonNegative,
    ) -> None:
        if nesterov and momentum == 0:
            raise ValueError(
                "optimizer.nesterov=true needs a momentum, and optimizer.momentum=0; "
                "try 0.9"
            )
        super().__init__(
            parameters,
            lr=lr,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            fused=True,
        )
        # or clipping and hooks would meet fp16's scaled gradients: this room's README
        self._step_supports_amp_scaling = False
