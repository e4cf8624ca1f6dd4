"""The rates that the optimizer really used, and its momentum and decay on request."""

from collections.abc import Iterator
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch.optim import Optimizer
from typing_extensions import override

from .rows import is_due, log_row


class LRMonitor(Callback):
    """Logs the learning rate of each group of weights as it is at the step.

    After warm-ups, finders and callbacks that change it: `lr/adamw`, or `lr/adamw_0`,
    `lr/adamw_1` of an optimizer with several groups.

    Args:
        momentum: log `momentum/…` (of Adam: its first beta) as well.
        weight_decay: log `weight_decay/…` as well.
    """

    def __init__(self, *, momentum: bool, weight_decay: bool) -> None:
        self.momentum, self.weight_decay = momentum, weight_decay

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        step = trainer.global_step + 1
        if not is_due(trainer, step):
            return
        row: dict[str, float] = {}
        for name, group in _named_groups(optimizer):
            row[f"lr/{name}"] = float(group["lr"])
            if self.momentum and ("momentum" in group or "betas" in group):
                kept = group["betas"][0] if "betas" in group else group["momentum"]
                row[f"momentum/{name}"] = float(kept)
            if self.weight_decay and "weight_decay" in group:
                row[f"weight_decay/{name}"] = float(group["weight_decay"])
        log_row(trainer, row, step)


def _named_groups(optimizer: Optimizer) -> Iterator[tuple[str, dict[str, Any]]]:
    name = type(getattr(optimizer, "optimizer", optimizer)).__name__.lower()
    groups = optimizer.param_groups
    for place, group in enumerate(groups):
        yield (name if len(groups) == 1 else f"{name}_{place}"), group
