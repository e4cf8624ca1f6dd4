"""What Adam and AdamW share: torch's fused kernel, with little around it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class FusedStep(Optimizer):
    """Calls the fused kernel at once where torch's own `step` would do the same.

    For weights of a few thousand numbers torch's step spends twice as long on what is
    around the kernel: a profiler's record, groups by device and type, checks. Whatever
    is not plain (hooks, a weight without a gradient, another kind of tensor, a
    profiler that runs) goes torch's way. Mixed into a subclass of `torch.optim.Adam`.
    """

    _is_plain: bool | None = None  # all weights alike; None: not looked at yet

    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move the weights against their gradients; return the closure's loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self._is_plain is None:
            self._is_plain = _are_alike(self.param_groups)
        if not self._is_plain or self._is_watched() or not self._step_at_once():
            torchs_step(self)
        return loss

    # Else torch would wrap it in a profiler's record, 10 us of a step's 40.
    step.hooked = True  # pyright: ignore[reportFunctionMemberAccess]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        if not set_to_none or self._is_watched():
            super().zero_grad(set_to_none)
            return
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take more weights."""
        super().add_param_group(param_group)
        self._is_plain = None

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        super().load_state_dict(state_dict)
        self._is_plain = None

    def _is_watched(self) -> bool:
        return bool(
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or torch.autograd.profiler._is_profiler_enabled  # pyright: ignore
        )

    @torch.no_grad()
    def _step_at_once(self) -> bool:
        """Step, where every weight has a gradient and a state; say whether."""
        lists = [_lists(group["params"], self.state) for group in self.param_groups]
        whole = [each for each in lists if each is not None]
        if len(whole) < len(lists):
            return False
        for group, (weights, gradients, means, squares, steps) in zip(
            self.param_groups, whole, strict=True
        ):
            decays = group["decoupled_weight_decay"]
            kernel = torch._fused_adamw_ if decays else torch._fused_adam_  # pyright: ignore
            beta1, beta2 = group["betas"]
            torch._foreach_add_(steps, 1)  # pyright: ignore
            kernel(
                weights,
                gradients,
                means,
                squares,
                [],
                steps,
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )
        return True


# As torch would have wrapped it, had it been this class's: with its hooks and record.
torchs_step: Callable[[Any], Any] = torch.optim.Adam.step
if not hasattr(torchs_step, "hooked"):
    torchs_step = Optimizer.profile_hook_step(torchs_step)  # pyright: ignore


def _lists(
    weights: list[Tensor], states: dict[Tensor, dict[str, Tensor]]
) -> tuple[list[Tensor], ...] | None:
    """Return what the kernel takes; None where a gradient or a state is missing."""
    gradients = [weight.grad for weight in weights]
    own = [states.get(weight) for weight in weights]
    if any(gradient is None for gradient in gradients) or not all(own):
        return None
    means = [state["exp_avg"] for state in own]  # pyright: ignore
    squares = [state["exp_avg_sq"] for state in own]  # pyright: ignore
    steps = [state["step"] for state in own]  # pyright: ignore
    return weights, gradients, means, squares, steps  # pyright: ignore


def _are_alike(groups: list[dict[str, Any]]) -> bool:
    """Whether all weights are plain tensors of one type on one device."""
    weights = [weight for group in groups for weight in group["params"]]
    kinds = {(weight.dtype, weight.device, weight.layout) for weight in weights}
    return (
        len(kinds) == 1
        and all(type(weight) in (nn.Parameter, Tensor) for weight in weights)
        and all(type(group["lr"]) is float for group in groups)
        and not any(group["amsgrad"] or group["maximize"] for group in groups)
        and not weights[0].is_complex()
        and not any(
            weight.grad is not None and weight.grad.is_sparse for weight in weights
        )
    )
