"""Adam: each weight moves by its mean gradient over that gradient's usual size."""

from collections.abc import Iterable

import torch
from torch import Tensor

from nnlab.limits import NonNegative, Positive, Share
from nnlab.optimizer._fused import FusedStep


class Adam(FusedStep, torch.optim.Adam):
    """torch.optim.Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980).

    `weight_decay` is an L2 penalty on every weight, which Adam's scaling weakens: AdamW
    decays the weights themselves.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: Positive,
        betas: tuple[Share, Share],
        eps: Positive,
        weight_decay: NonNegative,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            fused=True,
        )
        # or clipping and hooks would meet fp16's scaled gradients: this room's README
        self._step_supports_amp_scaling = False
