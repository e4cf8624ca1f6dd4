"""Stops a run at the step whose loss is no number, and says where that began."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, distributed, nn
from torch.optim import Optimizer
from typing_extensions import override

from nnlab.callback.first_bad_layer import all_finite, first_bad_layer
from nnlab.errors import RunFailed


class NanGuard(Callback):
    """Every run has one: a NaN or infinite loss ends it before its step is taken.

    So the weights are those that gave the loss, the first layer that is not finite can
    be named, and no checkpoint holds what came of it: one is written only where every
    weight is finite.

    On a CPU the loss is read each step, in a microsecond. On a GPU its sign of life is
    copied while the backward pass runs, and waited for before the optimizer's step: the
    device is busy meanwhile, and the host does not stand still for it. Processes of a
    group agree, one small message a step, so that none waits for one that has stopped.

    Args:
        gradients: look at the gradients as well: what is infinite there spoils the
            weights at this step, and the loss only at the next. Not under fp16, whose
            scaler skips such steps itself.
    """

    def __init__(self, *, gradients: bool = False) -> None:
        self.gradients = gradients
        self._batch: Any = None
        self._batch_index = 0
        self._loss: Tensor | None = None
        self._is_finite: Tensor | None = None  # on its way from the device
        self._arrival: torch.Event | None = None

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._batch, self._batch_index = batch, batch_idx

    @override
    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        if trainer.world_size > 1:
            self._send(loss.detach())
        elif loss.device.type == "cuda":
            self._look(trainer, pl_module)  # at the one before, while accumulating
            self._send(loss.detach())
        elif not math.isfinite(value := loss.item()):
            self._stop(trainer, pl_module, value)

    @override
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        self._look(trainer, pl_module)
        if self.gradients and getattr(trainer.precision_plugin, "scaler", None) is None:
            self._check_gradients(trainer, pl_module)

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._batch = None  # its memory is the next one's

    @override
    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if not all_finite(pl_module.parameters()):
            bad = _first_bad(pl_module.named_parameters())
            self._fail(trainer, f"after step {trainer.global_step} {bad} is not finite")

    def _send(self, loss: Tensor) -> None:
        """Ask the device whether the loss is finite, without waiting for an answer."""
        finite = loss.isfinite().all()
        before = self._is_finite
        if before is not None:  # of an accumulation window, where ranks decide together
            finite = finite & before.to(finite.device)
        self._loss = loss
        if loss.device.type == "cuda":
            home = torch.empty((), dtype=torch.bool, pin_memory=True)
            self._is_finite = home.copy_(finite, non_blocking=True)
            self._arrival = torch.Event(loss.device)
            self._arrival.record()
        else:
            self._is_finite = finite

    def _look(self, trainer: Trainer, module: LightningModule) -> None:
        """Read the answer.

        Raises:
            RunFailed: where the loss was not finite.
        """
        finite, self._is_finite = self._is_finite, None
        if finite is None:
            return
        if self._arrival is not None:
            self._arrival.synchronize()
            self._arrival = None
        if trainer.world_size > 1:
            agreed = finite.to(trainer.strategy.root_device, torch.uint8)
            distributed.all_reduce(agreed, op=distributed.ReduceOp.MIN)
            finite = agreed
        if finite.item():
            return
        assert self._loss is not None
        self._stop(trainer, module, self._loss.item())

    def _stop(self, trainer: Trainer, module: LightningModule, value: float) -> None:
        where = first_bad_layer(trainer, module, self._batch, self._batch_index)
        self._fail(trainer, f"the loss is {value} at {self._place(trainer)}: {where}")

    def _check_gradients(self, trainer: Trainer, module: LightningModule) -> None:
        gradients = {
            name: weight.grad
            for name, weight in module.named_parameters()
            if weight.grad is not None
        }
        if not all_finite(gradients.values()):
            # Backward runs from the last layer: that is where it began.
            bad = _first_bad(reversed(gradients.items()))
            self._fail(
                trainer,
                f"the gradient of {bad} is not finite at {self._place(trainer)}",
            )

    def _place(self, trainer: Trainer) -> str:
        epoch, batch = trainer.current_epoch + 1, self._batch_index + 1
        return f"step {trainer.global_step + 1} (epoch {epoch}, batch {batch})"

    def _fail(self, trainer: Trainer, what: str) -> None:
        folder = Path(trainer.default_root_dir) / "checkpoints"
        kept = folder / "last.ckpt"
        kept = kept if kept.is_file() else folder / "best.ckpt"
        state = f"the last finite weights are in {kept}"
        if not kept.is_file():
            state = "no checkpoint had been written yet"
        raise RunFailed(
            f"{what}; {state}; try a lower optimizer.lr, or trainer.gradient_clip_val=1"
        )


def _first_bad(named: Iterable[tuple[str, nn.Parameter | Tensor]]) -> str:
    return next(name for name, each in named if not each.isfinite().all())
