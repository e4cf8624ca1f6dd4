"""How much gradient reaches each layer: vanishing and exploding, layer by layer."""

import logging
from statistics import median
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override

from nnlab.limits import Share

from .layers import weights_by_layer
from .profile_picture import layer_profile
from .rows import is_due, keep, log_row

log = logging.getLogger("nnlab.run")

MOST_ROWS = 200


class GradientStatistics(Callback):
    """Logs each layer's root mean square gradient, and the norm of all together.

    They are those that the optimizer would take: unscaled, accumulated, before
    clipping. The picture draws them from the first layer to the last; where the first
    ones get next to nothing, they vanish (Glorot & Bengio 2010, "Understanding the
    difficulty of training deep feedforward neural networks", AISTATS).

    Args:
        vanishing: a layer whose gradient is less than this share of the largest
            layer's, in the median over the run's first quarter, is named at the end.
    """

    def __init__(self, *, vanishing: Share) -> None:
        self.vanishing = vanishing
        self.rows: dict[int, dict[str, float]] = {}  # root mean squares by step

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        step = trainer.global_step + 1
        if not is_due(trainer, step):
            return
        found: dict[str, Tensor] = {}
        squares: list[Tensor] = []
        for layer, weights in weights_by_layer(pl_module).items():
            gradients = [w.grad.detach() for w in weights if w.grad is not None]
            if gradients:
                total = torch.stack([g.float().square().sum() for g in gradients]).sum()
                squares.append(total)
                found[layer] = (total / sum(g.numel() for g in gradients)).sqrt()
        if not found:
            return
        *values, norm = torch.stack(
            [*found.values(), torch.stack(squares).sum().sqrt()]
        ).tolist()
        named = dict(zip(found, values, strict=True))
        self.rows[step] = named
        if len(self.rows) > MOST_ROWS:  # every other one tells as much
            self.rows = dict(list(self.rows.items())[::2])
        row = {f"gradient/{name}": value for name, value in named.items()}
        log_row(trainer, {**row, "gradient/norm": norm}, step)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        layers = [
            name
            for name in weights_by_layer(pl_module)
            if any(name in row for row in self.rows.values())
        ]
        if not layers:
            return
        title = "root mean square gradient, input to output"
        keep(trainer, "gradients", layer_profile(self.rows, layers, title=title))
        for name, share in self._vanished().items():
            log.warning(
                "the gradient vanishes: %s gets %.1g of what the largest layer gets",
                *(name, share),
            )

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"rows": {step: dict(row) for step, row in self.rows.items()}}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = dict(state_dict["rows"])

    def _vanished(self) -> dict[str, float]:
        early = list(self.rows.values())[: -(-len(self.rows) // 4)]
        shares: dict[str, float] = {}
        for name in early[0]:
            share = median(row.get(name, 0) / (max(row.values()) or 1) for row in early)
            if share < self.vanishing:
                shares[name] = share
        return shares
