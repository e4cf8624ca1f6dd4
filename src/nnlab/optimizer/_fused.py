"""What Adam and AdamW share: torch's fused kernel, with little around it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class FusedStep(Optimizer):
    """Calls the fused kernel at once where torch's own `step` would do the same.

    For weights of a few thousand numbers torch's step spends three times as long on
    what is around the kernel: a profiler's record, groups by device and type, checks, a
    counter for each weight. Whatever is not plain (hooks, a weight without a gradient,
    another kind of tensor, a profiler that runs) goes torch's way. Mixed into a
    subclass of `torch.optim.Adam`.
    """

    _is_plain: bool | None = None  # all weights alike; None: not looked at yet
    _moments: "tuple[Moments, ...]" = ()  # of each group, as its kernel takes them

    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move the weights against their gradients; return the closure's loss."""
        loss = None
        if closure is not None:
            if torch.is_grad_enabled():
                loss = closure()
            else:
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
        self._is_plain, self._moments = None, ()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        super().load_state_dict(state_dict)
        self._is_plain, self._moments = None, ()

    def _is_watched(self) -> bool:
        return bool(
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or torch.autograd.profiler._is_profiler_enabled  # pyright: ignore
        )

    def _step_at_once(self) -> bool:
        """Step, where every weight has a gradient and a state; say whether."""
        groups = self.param_groups
        gradients = [[weight.grad for weight in group["params"]] for group in groups]
        if any(each is None for some in gradients for each in some):
            return False
        if len(self._moments) != len(groups) or not all(
            moments.are_of(group["params"], self.state)
            for moments, group in zip(self._moments, groups, strict=True)
        ):
            self._moments = _moments(groups, self.state)
        with torch.no_grad():
            for group, some, moments in zip(groups, gradients, self._moments):  # noqa: B905
                moments.count()
                moments.move(group, some)
        return bool(self._moments)


class Moments:
    """What Adam remembers of a group's weights, in the lists that its kernel takes.

    The steps are counted in one tensor, of which each weight's counter is a part: to
    add one to each of four counters costs more than the kernel.
    """

    def __init__(
        self, weights: list[Tensor], states: dict[Tensor, dict[str, Tensor]]
    ) -> None:
        own = [states[weight] for weight in weights]
        self.weights = [*weights]
        self.means = [state["exp_avg"] for state in own]
        self.squares = [state["exp_avg_sq"] for state in own]
        self._counter = torch.stack([state["step"] for state in own])
        self._one = torch.ones_like(self._counter[0])
        self.steps = list(self._counter.unbind())
        for state, step in zip(own, self.steps, strict=True):
            state["step"] = step

    def are_of(
        self, weights: list[Tensor], states: dict[Tensor, dict[str, Tensor]]
    ) -> bool:
        """Whether this is still these weights' state, which others may replace."""
        if len(weights) != len(self.weights):
            return False
        own = zip(
            *(weights, self.weights, self.steps, self.means, self.squares), strict=True
        )
        for weight, mine, step, mean, square in own:
            state = states.get(weight)
            if (
                weight is not mine
                or not state
                or state["step"] is not step
                or state["exp_avg"] is not mean
                or state["exp_avg_sq"] is not square
            ):
                return False
        return True

    def count(self) -> None:
        """Count a step."""
        self._counter.add_(self._one)

    def move(self, group: dict[str, Any], gradients: list[Tensor | None]) -> None:
        """Move the weights, by the numbers of their group."""
        decays = group["decoupled_weight_decay"]
        kernel: Any = torch._fused_adamw_ if decays else torch._fused_adam_  # pyright: ignore
        beta1, beta2 = group["betas"]
        kernel(
            self.weights,
            gradients,
            self.means,
            self.squares,
            [],
            self.steps,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


def _moments(
    groups: list[dict[str, Any]], states: dict[Tensor, dict[str, Tensor]]
) -> tuple[Moments, ...]:
    """Return each group's moments; none where a weight has no state yet."""
    weights = [weight for group in groups for weight in group["params"]]
    if not all(states.get(weight) for weight in weights):
        return ()
    return tuple(Moments(group["params"], states) for group in groups)


# As torch would have wrapped it, had it been this class's: with its hooks and record.
torchs_step: Callable[[Any], Any] = torch.optim.Adam.step
if not hasattr(torchs_step, "hooked"):
    torchs_step = Optimizer.profile_hook_step(torchs_step)  # pyright: ignore


def _are_alike(groups: list[dict[str, Any]]) -> bool:
    """Whether all weights are plain tensors of one type on one device."""
    weights = [weight for group in groups for weight in group["params"]]
    kinds = {(weight.dtype, weight.device, weight.layout) for weight in weights}
    return (
        len(kinds) == 1
        and all(group["params"] for group in groups)
        and all(type(weight) in (nn.Parameter, Tensor) for weight in weights)
        and all(type(group["lr"]) is float for group in groups)
        and not any(group["amsgrad"] or group["maximize"] for group in groups)
        and not weights[0].is_complex()
        and not any(
            weight.grad is not None and weight.grad.is_sparse for weight in weights
        )
    )
