"""AdamW: Adam, whose weight decay is a shrinking of the weights, not a gradient."""

from collections.abc import Iterable

import torch
from torch import Tensor

from nnlab.limits import NonNegative, Positive, Share
from nnlab.optimizer._fused import FusedStep


class AdamW(FusedStep, torch.optim.AdamW):
    """torch.optim.AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101).

    Only what multiplies decays: matrices, filters and embeddings (two axes or more).
    Biases and the gains of normalisation keep their size, as in GPT-2 and nanoGPT.
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
        weights = list(parameters)
        decaying = [weight for weight in weights if weight.ndim >= 2]
        constant = [weight for weight in weights if weight.ndim < 2]
        groups = [
            {"params": decaying, "weight_decay": weight_decay},
            {"params": constant, "weight_decay": 0.0},
        ]
        super().__init__(
            [group for group in groups if group["params"]],
            lr=lr,
            betas=betas,
            eps=eps,
            fused=True,
        )
        # or clipping and hooks would meet fp16's scaled gradients: this room's README
        self._step_supports_amp_scaling = False
