"""Muon for matrices and AdamW for the rest, as one optimizer."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnlab.limits import NonNegative, Positive, Share


class MuonAdamW(Optimizer):
    """Moves matrices by an orthogonalised momentum, all else by AdamW.

    Muon: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon. Its step is
    scaled to the size of AdamW's (Liu et al. 2025, https://arxiv.org/abs/2502.16982,
    equation 4), so that one rate and one decay, AdamW's usual ones, serve both.

    As in the post, tables of embeddings are AdamW's, and with them an output layer that
    shares one: `Learner` marks them (`is_table`). An output layer of its own is a
    matrix like others here. Convolution filters (four axes) are AdamW's: flattened they
    are matrices only by convention, and torch's Muon refuses them. Weights of one axis
    do not decay.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: Positive,
        momentum: Share,
        betas: tuple[Share, Share],
        weight_decay: NonNegative,
    ) -> None:
        weights = list(parameters)
        matrices = [each for each in weights if each.ndim == 2 and not is_table(each)]
        others = [each for each in weights if each.ndim > 2 or is_table(each)]
        vectors = [weight for weight in weights if weight.ndim < 2]
        self._engines: list[Optimizer] = []
        if matrices:
            muon = torch.optim.Muon(
                matrices,
                lr=lr,
                momentum=momentum,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
            self._engines.append(muon)
        for rest, decay in ((others, weight_decay), (vectors, 0.0)):
            if rest:
                adamw = torch.optim.AdamW(
                    rest, lr=lr, betas=betas, weight_decay=decay, fused=True
                )
                self._engines.append(adamw)
        # the engines' own groups, so that each carries its algorithm's every number
        groups = [group for engine in self._engines for group in engine.param_groups]
        super().__init__(groups, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move every weight that has a gradient; return the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for engine, group in zip(self._engines, self.param_groups, strict=True):
            # Groups and state are this optimizer's alone, for schedules and checkpoints
            # to change; an engine only borrows its share.
            engine.param_groups = [group]
            engine.state = self.state
            engine.step()
        return loss


def is_table(weight: Tensor) -> bool:
    """Whether rows of a weight are looked up, as an embedding's are."""
    return getattr(weight, "is_table", False)
