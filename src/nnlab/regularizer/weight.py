"""WeightRegularizer: works on gradients before the step, or on weights after it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.regularizer.choice import choose, named_weights
from nnlab.regularizer.regularizer import Regularizer


class WeightRegularizer(Regularizer):
    """Acts on each chosen weight at each optimizer step; write what you need of four.

    `penalty` and its `gradient` stand for a term of the loss. The gradient is added
    once a step, to whole and unscaled gradients before they are clipped: what the term
    in the loss would give, exactly, under accumulation, clipping, bf16 and fp16. The
    logged loss stays the task's.

    `before_step` and `after_step` change weights in place, and know the learning rate
    of the weight's group. A step that fp16 skips is none for them either.

    All four see the same weights on every rank, so they keep them the same. A weight
    without a gradient takes no part in a step.

    Args:
        include, exclude: patterns on the names of weights, such as `["f6.*"]`.
    """

    def __init__(self, *, include: list[str], exclude: list[str]) -> None:
        super().__init__()
        self.include, self.exclude = include, exclude
        self.weights: dict[str, nn.Parameter] = {}
        self._handles: list[RemovableHandle] = []
        self._scales_loss = False
        self._batches = 0  # whose gradients are summed up for the coming step

    def penalty(self, weight: Tensor) -> Tensor:
        """Return the term of the loss that this weight adds; logged, not minimised."""
        raise NotImplementedError

    def gradient(self, weight: Tensor) -> Tensor:
        """Return what is added to the weight's gradient: the penalty's derivative."""
        raise NotImplementedError

    def before_step(self, weight: Tensor, rate: float) -> None:
        """Change a weight in place that is about to move."""
        raise NotImplementedError

    def after_step(self, weight: Tensor, rate: float) -> None:
        """Change a weight in place that has just moved."""
        raise NotImplementedError

    @torch.no_grad()
    def numbers(self) -> Mapping[str, Tensor | float]:
        if not self._has("penalty"):
            return {}
        terms = [self.penalty(weight).float() for weight in self.weights.values()]
        return {self.name: torch.stack(terms).sum()} if terms else {}

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        known = named_weights(pl_module)
        patterns = {"include": self.include, "exclude": self.exclude}
        where = self.where
        chosen = choose(known, **patterns, where=where, kind="weights")
        self.weights = {name: known[name] for name in chosen}
        self._scales_loss = (
            getattr(trainer.precision_plugin, "scaler", None) is not None
        )
        for optimizer in trainer.optimizers:
            self._check_unscales(optimizer)
            if self._has("after_step"):
                after = optimizer.register_step_post_hook(self._after_step)
                self._handles.append(after)
            if self._has("before_step") and self._scales_loss:
                before = optimizer.register_step_pre_hook(self._before_step)
                self._handles.append(before)

    @override
    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._batches += 1

    @override
    @torch.no_grad()
    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        # An epoch may end in fewer batches than are to be accumulated. Lightning still
        # divides their losses by that number, and the penalty would be divided as well.
        share = min(1.0, self._batches / trainer.accumulate_grad_batches)
        self._batches = 0
        if self._has("gradient"):
            for weight, _ in self.moving(optimizer):
                assert weight.grad is not None
                weight.grad.add_(self.gradient(weight.detach()), alpha=share)
        # Under fp16 the step may not come: there the optimizer itself calls.
        if self._has("before_step") and not self._scales_loss:
            self._act(self.before_step, optimizer)

    @override
    def teardown(
        self, trainer: Trainer, pl_module: LightningModule, stage: str
    ) -> None:
        self._take_out()

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._take_out()

    def moving(self, optimizer: Optimizer) -> Iterator[tuple[nn.Parameter, float]]:
        """Yield the chosen weights that this step moves, with their learning rates."""
        chosen = {id(weight) for weight in self.weights.values()}
        for group in optimizer.param_groups:
            for weight in group["params"]:
                if id(weight) in chosen and weight.grad is not None:
                    yield weight, float(group["lr"])

    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        self._act(self.before_step, optimizer)

    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        self._act(self.after_step, optimizer)

    @torch.no_grad()
    def _act(
        self, change: Callable[[Tensor, float], None], optimizer: Optimizer
    ) -> None:
        for weight, rate in self.moving(optimizer):
            change(weight, rate)

    def _take_out(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles, self.weights = [], {}

    def _has(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(WeightRegularizer, method)

    def _check_unscales(self, optimizer: Optimizer) -> None:
        unscales_itself = getattr(optimizer, "_step_supports_amp_scaling", False)
        if self._scales_loss and unscales_itself and self._has("gradient"):
            raise UserError(
                f"{self.where} needs gradients without fp16's loss scale, "
                f"and {type(optimizer).__name__}(fused=True) undoes it only within its "
                "step; take an optimizer of nnlab's, fused=false, or precision=bf16"
            )
